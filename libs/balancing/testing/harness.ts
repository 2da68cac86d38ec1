import type { PickRequest, ServiceInstance, StrategyModule } from '#core';
import { serviceInstance } from '#core/testing';
import { OutcomeRecorder } from '../outcomes.js';
import { seededRandom } from '../random.js';

/** One strategy, with a clock that the test winds and luck that is the same every time. */
export class Harness {
  time = 1_000_000;
  readonly recorder = new OutcomeRecorder({ now: () => this.time });
  private readonly strategy;

  constructor(module: StrategyModule, seed = 42) {
    this.strategy = module.create({
      now: () => this.time,
      random: seededRandom(seed),
      stats: (key) => this.recorder.stats(key),
    });
  }

  pick(candidates: readonly ServiceInstance[], request: Partial<PickRequest> = {}): ServiceInstance {
    return this.strategy.pick(candidates, { scope: 'api', ...request })!.instance;
  }

  /** The ids of so many picks, in their order. */
  picks(count: number, candidates: readonly ServiceInstance[], request: Partial<PickRequest> = {}): string[] {
    return Array.from({ length: count }, () => this.pick(candidates, request).serviceId);
  }

  reports(instance: ServiceInstance, count: number, durationMs: number, ok = true): void {
    for (let i = 0; i < count; i++) this.recorder.finished(instance, { ok, durationMs });
  }
}

/** Instances of one service, by their ids and what is particular about each. */
export function fleet(of: Readonly<Record<string, Partial<ServiceInstance>>>): readonly ServiceInstance[] {
  return Object.entries(of)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([serviceId, over]) => serviceInstance({ serviceId, ...over }));
}

export function named(...ids: readonly string[]): readonly ServiceInstance[] {
  return fleet(Object.fromEntries(ids.map((id) => [id, {}])));
}

/** How often each occurs. */
export function tally(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

/** Pearson's: the sum of (seen − expected)² / expected. */
export function chiSquare(counts: Readonly<Record<string, number>>, shares: Readonly<Record<string, number>>): number {
  const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((total, each) => total + each, 0);
  const scale = sum(counts) / sum(shares);
  return Object.entries(shares).reduce((total, [id, share]) => {
    return total + ((counts[id] ?? 0) - share * scale) ** 2 / (share * scale);
  }, 0);
}
