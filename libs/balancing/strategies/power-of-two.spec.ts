import { describe, expect, it } from '@jest/globals';
import { Harness, named, tally } from '../testing/harness.js';
import { powerOfTwo } from './power-of-two.js';

describe('power_of_two', () => {
  it('prefers the faster', () => {
    const harness = new Harness(powerOfTwo);
    const [a, b] = named('a', 'b');
    harness.reports(a!, 1, 50);
    harness.reports(b!, 1, 60);
    expect(tally(harness.picks(100, [a!, b!]))).toEqual({ a: 100 });
  });

  it('never takes the worst of many, and spreads over the others', () => {
    const harness = new Harness(powerOfTwo);
    const candidates = named('a', 'b', 'c', 'd');
    for (const each of candidates) harness.reports(each, 1, each.serviceId === 'c' ? 500 : 50);
    const counts = tally(harness.picks(3_000, candidates));
    expect(counts.c).toBeUndefined();
    for (const id of ['a', 'b', 'd']) expect(counts[id]).toBeGreaterThan(850);
  });

  it('weighs response time with calls in flight', () => {
    const harness = new Harness(powerOfTwo);
    const [a, b] = named('a', 'b');
    harness.reports(a!, 1, 50);
    harness.reports(b!, 1, 170);
    const picks = Array.from({ length: 4 }, () => {
      const instance = harness.pick([a!, b!]);
      harness.recorder.started(instance);
      return instance.serviceId;
    });
    // 50, 100, 150 against 170; then 200.
    expect(picks).toEqual(['a', 'a', 'a', 'b']);
  });

  it('takes a peak at once, forgives it slowly', () => {
    const harness = new Harness(powerOfTwo);
    const [a, b] = named('a', 'b');
    harness.reports(a!, 20, 50);
    harness.reports(b!, 20, 50);
    harness.reports(a!, 1, 3_000);
    for (const expected of [{ b: 50 }, { b: 50 }, { b: 50 }, { a: 50 }]) {
      harness.reports(b!, 1, 60);
      expect(tally(harness.picks(50, [a!, b!]))).toEqual(expected);
      harness.time += 14_000;
    }
  });

  it('takes who fails at once for slow', () => {
    const harness = new Harness(powerOfTwo);
    const [a, b] = named('a', 'b');
    harness.reports(a!, 1, 1, false);
    harness.reports(b!, 1, 200);
    expect(tally(harness.picks(100, [a!, b!]))).toEqual({ b: 100 });
  });

  it('sends a newcomer one call, and the next when that has been reported', () => {
    const harness = new Harness(powerOfTwo);
    const [old, newcomer] = named('old', 'newcomer').toSorted((a) => (a.serviceId === 'old' ? -1 : 1));
    harness.reports(old!, 20, 50);
    const done = harness.recorder.started(harness.pick([old!, newcomer!]));
    expect(harness.recorder.stats(newcomer!).inFlight).toBe(1);
    expect(tally(harness.picks(100, [old!, newcomer!]))).toEqual({ old: 100 });
    done({ ok: true, durationMs: 20 });
    expect(tally(harness.picks(100, [old!, newcomer!]))).toEqual({ newcomer: 100 });
  });
});
