import { LRUCache } from 'lru-cache';
import type { ServiceInstance, StrategyModule } from '#core';
import { MAX_SCOPED_CANDIDATES, MAX_SCOPES } from './scopes.js';
import { weightsOf } from './weights.js';

/** How far each candidate is behind its share, in weight. */
interface Rotation {
  readonly candidates: readonly ServiceInstance[];
  readonly weights: readonly number[];
  readonly credits: Float64Array;
  readonly total: number;
  /** Of those that were candidates before, the last to leave at the end: credits by id, in shares of a total. */
  readonly absent: ReadonlyMap<string, number>;
}

/**
 * Nginx's smooth weighted round robin: every candidate is credited its weight, the one with most credit
 * is picked and pays the total, so that 5, 1, 1 go a a b a c a a.
 * https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
 */
export const weightedRoundRobin: StrategyModule = {
  name: 'weighted_round_robin',
  summary: 'In turn, as often as the weight says, evenly spread; each service and filter has its own turn.',
  create() {
    const rotations = new LRUCache<string, Rotation>({
      max: MAX_SCOPES,
      maxSize: MAX_SCOPED_CANDIDATES,
      sizeCalculation: ({ candidates, absent }) => candidates.length + absent.size + 1,
    });
    return {
      pick(candidates, { scope }) {
        if (candidates.length === 0) return undefined;
        let rotation = rotations.get(scope);
        if (rotation?.candidates !== candidates) rotations.set(scope, (rotation = begin(candidates, rotation)));
        return { instance: candidates[next(rotation)]!, reason: 'next in turn by weight' };
      },
    };
  },
};

function next({ weights, credits, total }: Rotation): number {
  let best = -1;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    credits[i]! += weight;
    // A share of 0 is no share, whatever credit rounding or a changed weight has left.
    if (weight > 0 && (best < 0 || credits[i]! > credits[best]!)) best = i;
  }
  credits[best]! -= total;
  return best;
}

/**
 * Carries credits over, in proportion to the new total: unscaled, what was small change beside a heavy
 * instance would be many turns in a row once that one is gone. Who is left out for one pick, because its
 * caller excludes it, finds its credit as it was.
 */
function begin(candidates: readonly ServiceInstance[], before: Rotation | undefined): Rotation {
  const weights = weightsOf(candidates);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = new Map(before?.absent);
  before?.candidates.forEach(({ serviceId }, i) => shares.set(serviceId, before.credits[i]! / before.total));
  const credits = Float64Array.from(candidates, ({ serviceId }) => (shares.get(serviceId) ?? 0) * total);
  for (const { serviceId } of candidates) shares.delete(serviceId);
  return { candidates, weights, credits, total, absent: newest(shares, candidates.length) };
}

/** Most of those who leave never come back: no more of them are remembered than there are candidates. */
function newest(shares: Map<string, number>, count: number): ReadonlyMap<string, number> {
  for (const id of shares.keys()) {
    if (shares.size <= count) break;
    shares.delete(id);
  }
  return shares;
}
