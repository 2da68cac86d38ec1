import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lottery } from './weights.js';

describe('Lottery', () => {
  it('draws nobody without a share, be the random number the least or the greatest', () => {
    const shares = fc.array(fc.constantFrom(0, 0, 1, 0.1, 65_535), { minLength: 1 });
    fc.assert(
      fc.property(shares, fc.constantFrom(0, 0.5, 1 - Number.EPSILON / 2), (some, random) => {
        fc.pre(some.some((share) => share > 0));
        expect(some[new Lottery(some).draw(random)]).toBeGreaterThan(0);
      }),
    );
  });
});
