import { describe, expect, it } from '@jest/globals';
import type { ServiceInstance } from '#core';
import { chiSquare, fleet, Harness, tally } from '../testing/harness.js';
import { random } from './random.js';
import { weighted } from './weighted.js';

/** For two degrees of freedom, p = 0.001. */
const CRITICAL_2 = 13.8;

function shares(of: Readonly<Record<string, Partial<ServiceInstance>>>, count = 30_000): Record<string, number> {
  return tally(new Harness(weighted).picks(count, fleet(of)));
}

describe('weighted', () => {
  it('draws in proportion to the weights', () => {
    const counts = shares({ a: { weight: 1 }, b: { weight: 2 }, c: { metadata: { weight: '7' } } });
    expect(chiSquare(counts, { a: 1, b: 2, c: 7 })).toBeLessThan(CRITICAL_2);
  });

  it('takes 100 where none is given or what is given is no weight', () => {
    const counts = shares({ a: {}, b: { metadata: { weight: 'heavy' } }, c: { weight: 100 } });
    expect(chiSquare(counts, { a: 1, b: 1, c: 1 })).toBeLessThan(CRITICAL_2);
  });

  it('takes off what the processor is busy', () => {
    const counts = shares({
      a: { metadata: { cpu_usage: '75' } },
      b: { metadata: { cpu_usage: '12.5' } },
      c: { weight: 50 },
    });
    expect(chiSquare(counts, { a: 25, b: 87.5, c: 50 })).toBeLessThan(CRITICAL_2);
  });

  it.each(['', 'much', '50%', 'NaN', 'Infinity', '-30', '0'])('takes a cpu_usage of %j for none', (cpu_usage) => {
    const counts = shares({ a: { metadata: { cpu_usage } }, b: {} }, 10_000);
    expect(chiSquare(counts, { a: 1, b: 1 })).toBeLessThan(10.8);
  });

  it.each(['100', '250', '1e9'])('gives who is as busy as %s %% nothing', (cpu_usage) => {
    expect(shares({ a: { metadata: { cpu_usage } }, b: {} }, 100)).toEqual({ b: 100 });
  });

  it('gives weight 0 nothing unless all are 0', () => {
    expect(shares({ a: { weight: 0 }, b: { weight: 1 } }, 100)).toEqual({ b: 100 });
    const counts = shares({ a: { weight: 0 }, b: { weight: 0 }, c: { weight: 0 } });
    expect(chiSquare(counts, { a: 1, b: 1, c: 1 })).toBeLessThan(CRITICAL_2);
  });

  it('goes by weight alone where all are busy', () => {
    const busy = { metadata: { cpu_usage: '100' } };
    const counts = shares({ a: { weight: 0, ...busy }, b: { weight: 1, ...busy }, c: { weight: 3, ...busy } });
    expect(counts.a).toBeUndefined();
    expect(chiSquare(counts, { b: 1, c: 3 })).toBeLessThan(10.8);
  });
});

describe('random', () => {
  it('draws each as often as the others', () => {
    const counts = tally(new Harness(random).picks(30_000, fleet({ a: {}, b: { weight: 0 }, c: { weight: 9 } })));
    expect(chiSquare(counts, { a: 1, b: 1, c: 1 })).toBeLessThan(CRITICAL_2);
  });
});
