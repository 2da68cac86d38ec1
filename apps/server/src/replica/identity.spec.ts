import { expect, it } from '@jest/globals';
import { replicaMetadata, sharesChecks } from './identity.js';

it.each([
  ['a replica that makes checks', { metadata: replicaMetadata(true), ttl: 15_000 }, true],
  ['one that makes none', { metadata: replicaMetadata(false), ttl: 15_000 }, false],
  [
    'one of another registry, in a catalog that both show themselves in',
    { metadata: replicaMetadata(true) },
    undefined,
  ],
  ['something else of that name', { metadata: {}, ttl: 15_000 }, undefined],
])('%s: whether it shares checks', (_, instance, shares) => {
  expect(sharesChecks(instance)).toBe(shares);
});
