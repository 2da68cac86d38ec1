import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { weightOf } from '#core';
import { fleet, Harness, tally } from '../testing/harness.js';
import { weightedRoundRobin } from './weighted-round-robin.js';

function weights(of: Readonly<Record<string, number>>) {
  return fleet(Object.fromEntries(Object.entries(of).map(([id, weight]) => [id, { weight }])));
}

const someWeights = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 20 }), {
  minKeys: 1,
});

describe('weighted_round_robin', () => {
  it("spreads 5, 1, 1 as nginx's example does", () => {
    const picks = new Harness(weightedRoundRobin).picks(14, weights({ a: 5, b: 1, c: 1 }));
    expect(picks.join(' ')).toBe('a a b a c a a a a b a c a a');
  });

  it('is exact over every cycle', () => {
    fc.assert(
      fc.property(someWeights, (of) => {
        const total = Object.values(of).reduce((sum, weight) => sum + weight, 0);
        expect(tally(new Harness(weightedRoundRobin).picks(total, weights(of)))).toEqual({ ...of });
      }),
    );
  });

  it('gives weight 0 nothing unless all are 0', () => {
    const harness = new Harness(weightedRoundRobin);
    expect(tally(harness.picks(20, weights({ a: 0, b: 1, c: 1 })))).toEqual({ b: 10, c: 10 });
    expect(tally(harness.picks(20, weights({ a: 0, b: 0 })))).toEqual({ a: 10, b: 10 });
    expect(tally(harness.picks(20, weights({ a: 0, b: 1 })))).toEqual({ b: 20 });
  });

  it('stays near the shares when weights change and candidates come and go', () => {
    const phases = fc.array(fc.tuple(someWeights, fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(phases, (all) => {
        const harness = new Harness(weightedRoundRobin);
        for (const [of, count] of all) {
          const counts = tally(harness.picks(count, weights(of)));
          const total = Object.values(of).reduce((sum, weight) => sum + weight, 0);
          // Nobody is ever more than one cycle's worth of turns ahead or behind.
          for (const [id, weight] of Object.entries(of)) {
            const off = Math.abs((counts[id] ?? 0) - (count * weight) / total);
            expect(off).toBeLessThan(Object.keys(of).length + 1);
          }
        }
      }),
    );
  });

  it('forgets the oldest scope rather than keep more than a million candidates', () => {
    const harness = new Harness(weightedRoundRobin);
    const many = weights(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`id-${10_000 + i}`, 1])));
    const next = (scope: string) => harness.pick(many, { scope }).serviceId;
    expect([next('first'), next('first')]).toEqual(['id-10000', 'id-10001']);
    for (let i = 0; i < 98; i++) next(`other-${i}`);
    expect(next('first')).toBe('id-10002');
    for (let i = 0; i < 100; i++) next(`other-${i}`);
    expect(next('first')).toBe('id-10000');
  });

  it('makes nobody catch up for long when a heavy one goes', () => {
    const harness = new Harness(weightedRoundRobin);
    harness.picks(40_000, weights({ a: 1, b: 65_535, c: 1 }));
    const counts = tally(harness.picks(100, weights({ a: 1, c: 1 })));
    expect(Math.abs(counts.a! - counts.c!)).toBeLessThanOrEqual(4);
  });

  it('keeps the shares where each pick is tried again without whom it was', () => {
    const harness = new Harness(weightedRoundRobin);
    const all = weights({ a: 5, b: 1, c: 1 });
    const picked: Record<string, number> = { a: 0, b: 0, c: 0 };
    const fair: Record<string, number> = { a: 0, b: 0, c: 0 };
    const pick = (candidates: typeof all) => {
      const total = candidates.reduce((sum, each) => sum + weightOf(each), 0);
      for (const each of candidates) fair[each.serviceId]! += weightOf(each) / total;
      const { serviceId } = harness.pick(candidates);
      picked[serviceId]!++;
      return serviceId;
    };
    for (let i = 0; i < 500; i++) {
      const first = pick(all);
      pick(all.filter(({ serviceId }) => serviceId !== first));
    }
    for (const id of ['a', 'b', 'c']) expect(Math.abs(picked[id]! - fair[id]!)).toBeLessThanOrEqual(1);
  });

  it('does not flood a newcomer', () => {
    const harness = new Harness(weightedRoundRobin);
    harness.picks(1_000, weights({ a: 1, b: 1 }));
    expect(tally(harness.picks(30, weights({ a: 1, b: 1, c: 1 })))).toEqual({ a: 10, b: 10, c: 10 });
  });

  it('neither floods nor starves newcomers where each leaves after its first turn', () => {
    const harness = new Harness(weightedRoundRobin);
    let newcomers = 0;
    for (let i = 0; i < 1_700; i++) {
      const id = `new-${newcomers}`;
      if (harness.pick(weights({ a: 10, b: 1, c: 1, [id]: 5 })).serviceId === id) newcomers++;
    }
    expect(Math.abs(newcomers - 500)).toBeLessThan(10);
  });
});
