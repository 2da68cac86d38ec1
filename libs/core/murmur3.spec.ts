import { expect, it } from '@jest/globals';
import { murmur3 } from './murmur3.js';

// By mmh3, the Python binding of the reference: mmh3.hash(text.encode('utf-32-le'), seed, signed=False)
it.each([
  ['', 0, 0],
  ['', 1, 1_364_076_727],
  ['a', 0, 1_455_541_201],
  ['user-42', 1, 4_143_687_172],
  ['höst-日本語', 7, 2_298_802_198],
])('hashes %j with seed %d as the reference does', (text, seed, expected) => {
  expect(murmur3(text, seed)).toBe(expected);
});
