import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chiSquare, fleet, Harness, named, tally } from '../testing/harness.js';
import { consistentHash } from './consistent-hash.js';

const KEYS = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
const TEN = Array.from({ length: 10 }, (_, i) => `api-${i}`);

function owners(ids: readonly string[], keys: readonly string[] = KEYS): string[] {
  const harness = new Harness(consistentHash);
  const candidates = named(...ids);
  return keys.map((hashKey) => harness.pick(candidates, { hashKey }).serviceId);
}

describe('consistent_hash', () => {
  it('gives a key to the same instance, whichever process asks and whatever else it has done', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string(), { maxLength: 5 }), (key, others) => {
        expect(owners(TEN, [...others, key]).at(-1)).toBe(owners(TEN, [key])[0]);
      }),
    );
  });

  it('spreads keys evenly', () => {
    // Nine degrees of freedom, p = 0.001.
    expect(chiSquare(tally(owners(TEN)), Object.fromEntries(TEN.map((id) => [id, 1])))).toBeLessThan(27.9);
  });

  it('neither prefers nor avoids the instance whose id is the key', () => {
    const own = KEYS.filter((id) => owners([id, 'other'], [id])[0] === id);
    expect(Math.abs(own.length / KEYS.length - 0.5)).toBeLessThan(0.02);
  });

  it('moves the keys of whoever goes, and no other', () => {
    const before = owners(TEN);
    const after = owners(TEN.filter((id) => id !== 'api-3'));
    KEYS.forEach((_, i) => {
      if (before[i] !== 'api-3') expect(after[i]).toBe(before[i]);
    });
    const heirs = tally(after.filter((_, i) => before[i] === 'api-3'));
    expect(Object.keys(heirs).length).toBe(9);
  });

  it('moves 1/n of the keys to whoever comes, and none elsewhere', () => {
    const before = owners(TEN);
    const after = owners([...TEN, 'new']);
    const moved = KEYS.filter((_, i) => before[i] !== after[i]);
    expect(moved.length / KEYS.length).toBeCloseTo(1 / 11, 1.7);
    KEYS.forEach((_, i) => expect([before[i], 'new']).toContain(after[i]));
  });

  it('respects weights, and moves no key between those whose weight stays', () => {
    const harness = new Harness(consistentHash);
    const own = (weight: number) => {
      const candidates = fleet({ a: { weight: 1 }, b: { weight }, c: { weight: 0 }, d: { weight: 1 } });
      return KEYS.map((hashKey) => harness.pick(candidates, { hashKey }).serviceId);
    };
    const [light, heavy] = [own(2), own(6)];
    expect(chiSquare(tally(light), { a: 1, b: 2, d: 1 })).toBeLessThan(13.8);
    expect(chiSquare(tally(heavy), { a: 1, b: 6, d: 1 })).toBeLessThan(13.8);
    KEYS.forEach((_, i) => expect([light[i], 'b']).toContain(heavy[i]));
  });

  it('draws at random for who has no key', () => {
    const counts = tally(new Harness(consistentHash).picks(10_000, named(...TEN)));
    expect(chiSquare(counts, Object.fromEntries(TEN.map((id) => [id, 1])))).toBeLessThan(27.9);
  });
});
