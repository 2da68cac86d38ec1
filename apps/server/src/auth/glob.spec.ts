import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { glob } from './glob.js';

describe('a pattern', () => {
  it.each([
    ['*', '', true],
    ['web', 'web', true],
    ['web', 'web2', false],
    ['team-a-*', 'team-a-', true],
    ['team-a-*', 'team-a', false],
    ['team-a-*', 'xteam-a-b', false],
    ['*.team-a', 'web.team-a', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['a*b*c', 'abbc', true],
    ['a*bc*c', 'abc', false],
    ['w.b', 'web', false],
    ['**', 'x', true],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(glob(pattern)(text)).toBe(fits);
  });

  it('means what the regular expression means', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '*'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (wanted, given) => {
        expect(glob(wanted)(given)).toBe(new RegExp(`^${wanted.replaceAll('*', '.*')}$`).test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for a text that was made to be slow', () => {
    const before = performance.now();
    expect(glob(`${'a*'.repeat(50)}b`)('a'.repeat(10_000))).toBe(false);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
