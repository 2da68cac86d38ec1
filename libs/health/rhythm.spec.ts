import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FIRST_PROBE_MS, Rhythm } from './rhythm.js';

const interval = fc.integer({ min: 1_000, max: 3_600_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('rhythm', () => {
  it('begins within the interval and five seconds, moves a little, and then keeps the interval', () => {
    fc.assert(
      fc.property(interval, fc.infiniteStream(random), (every, values) => {
        const rhythm = new Rhythm(every, () => values.next().value as number);
        let now = rhythm.next(0);
        expect(now).toBeLessThanOrEqual(Math.min(every, FIRST_PROBE_MS));
        for (let i = 0; i < 6; i++) {
          const next = rhythm.next(now);
          if (i < 2) expect(next - now).toBeGreaterThanOrEqual(every / 2 - 0.001);
          if (i >= 2) expect(next - now).toBeCloseTo(every, 3);
          expect(next - now).toBeLessThanOrEqual(every + 0.001);
          now = next;
        }
      }),
    );
  });

  it('does not move an interval that the first probes have filled', () => {
    const rhythm = new Rhythm(4_000, () => 0.5);
    expect([0, 1, 2, 3].map(() => rhythm.next(0))).toEqual([2_000, 6_000, 10_000, 14_000]);
  });

  it('leaves out what is missed, and stays on its grid', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: FIRST_PROBE_MS }), fc.nat(100_000_000), (every, late) => {
        const rhythm = new Rhythm(every, () => 0);
        const next = (rhythm.next(0), rhythm.next(late));
        expect(next % every).toBe(0);
        expect(next).toBeGreaterThan(late);
        expect(next).toBeLessThanOrEqual(late + every);
      }),
    );
  });
});
