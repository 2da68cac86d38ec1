import { expect, it } from '@jest/globals';
import { originOf, RateLimit } from './rate-limit.js';

it('lets a caller ask at its rate, and for ten seconds’ worth at once', () => {
  let now = 5;
  const limit = new RateLimit(2, () => now);
  const taken = (caller = 'a') => limit.take(caller) === 0;
  expect(Array.from({ length: 20 }, () => taken())).not.toContain(false);
  expect(limit.take('a')).toBe(500);
  expect(taken('b')).toBe(true);
  // What was refused is not counted.
  now += 500;
  expect([taken(), taken()]).toEqual([true, false]);
  now += 60_000;
  expect(Array.from({ length: 21 }, () => taken()).filter(Boolean)).toHaveLength(20);
});

it('remembers so many callers, and no more', () => {
  const limit = new RateLimit(1, () => 0);
  for (let i = 0; i < 100_000; i++) limit.take(`caller ${i}`);
  expect(limit['through'].size).toBe(20_000);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8::/64'],
])('%s is counted as %s', (address, origin) => {
  expect(originOf(address)).toBe(origin);
});
