import { LRUCache } from 'lru-cache';
import type { ServiceInstance, StrategyModule } from '#core';
import { MAX_SCOPES } from './scopes.js';

interface Turn {
  id: string;
  /** Where it was found: the next one is its neighbour as long as the candidates stay. */
  index: number;
}

/**
 * The successor, in order of ids, of whom this scope had last. Between two turns of one candidate every
 * other that stays has exactly one, however many come and go meanwhile: a counter modulo the number of
 * candidates would skip some and repeat others at every change.
 */
export const roundRobin: StrategyModule = {
  name: 'round_robin',
  summary: 'One after the other; each service and filter has its own turn.',
  create({ random }) {
    const turns = new LRUCache<string, Turn>({ max: MAX_SCOPES });
    return {
      pick(candidates, { scope }) {
        if (candidates.length === 0) return undefined;
        let turn = turns.get(scope);
        if (turn) {
          turn.index = successor(candidates, turn);
        } else {
          // Many clients that begin at the same time do not all begin with the same instance.
          turn = { id: '', index: Math.floor(random() * candidates.length) };
          turns.set(scope, turn);
        }
        const instance = candidates[turn.index]!;
        turn.id = instance.serviceId;
        return { instance, reason: 'next in turn' };
      },
    };
  },
};

function successor(candidates: readonly ServiceInstance[], { id, index }: Turn): number {
  const next = candidates[index]?.serviceId === id ? index + 1 : firstAfter(candidates, id);
  return next % candidates.length;
}

/** By bisection; one past the end when no id is greater. */
function firstAfter(candidates: readonly ServiceInstance[], id: string): number {
  let low = 0;
  let high = candidates.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (candidates[middle]!.serviceId <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
