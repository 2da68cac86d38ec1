import { describe, expect, it } from '@jest/globals';
import { chiSquare, fleet, Harness, named, tally } from '../testing/harness.js';
import { healthBased } from './health-based.js';

describe('health_based', () => {
  it('is fair where nothing is known', () => {
    const counts = tally(new Harness(healthBased).picks(9_000, named('a', 'b', 'c')));
    expect(chiSquare(counts, { a: 1, b: 1, c: 1 })).toBeLessThan(13.8);
  });

  it('picks from more candidates than a call takes arguments', () => {
    const one = named('a')[0]!;
    expect(new Harness(healthBased).pick(Array.from({ length: 200_000 }, () => one))).toBe(one);
  });

  it('gives who complains half', () => {
    const counts = tally(new Harness(healthBased).picks(9_000, fleet({ a: { probed: 'warning' }, b: {}, c: {} })));
    expect(chiSquare(counts, { a: 1, b: 2, c: 2 })).toBeLessThan(13.8);
  });

  it('shares in inverse proportion to response times, a newcomer as the fastest', () => {
    const harness = new Harness(healthBased);
    const [a, b, c] = named('a', 'b', 'c');
    harness.reports(a!, 20, 50);
    harness.reports(b!, 20, 200);
    expect(chiSquare(tally(harness.picks(9_000, [a!, b!, c!])), { a: 4, b: 1, c: 4 })).toBeLessThan(13.8);
  });

  it('leaves little to who fails, and gives it back when that is long ago', () => {
    const harness = new Harness(healthBased);
    const candidates = named('a', 'b');
    harness.reports(candidates[0]!, 9, 50, false);
    harness.reports(candidates[1]!, 9, 50);
    // 9 errors of 9 + 1: (1 - 0.9)² against 1.
    expect(chiSquare(tally(harness.picks(20_000, candidates)), { a: 0.01, b: 1 })).toBeLessThan(10.8);
    harness.time += 120_000;
    expect(chiSquare(tally(harness.picks(20_000, candidates)), { a: 1, b: 1 })).toBeLessThan(10.8);
  });

  it('sees what is new within a moment', () => {
    const harness = new Harness(healthBased);
    const candidates = named('a', 'b');
    harness.picks(10, candidates);
    harness.reports(candidates[0]!, 100, 5_000, false);
    harness.reports(candidates[1]!, 100, 50);
    harness.time += 100;
    expect(tally(harness.picks(1_000, candidates)).a ?? 0).toBeLessThan(3);
  });
});
