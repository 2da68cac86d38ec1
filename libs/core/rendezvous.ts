import { finalize, murmur3 } from './murmur3.js';

// Rendezvous hashing: for a key every node draws a number from the hash of both, and the highest has it.
// When a node comes or goes, only the keys that it gets or had move: no ring to keep, nothing to agree on.
// Thaler & Ravishankar 1998.

/** Another seed than the nodes': a key that is a node's id would cancel it out. */
const KEY_SEED = 1;

export function nodeHash(id: string): number {
  return murmur3(id);
}

export function keyHash(key: string): number {
  return murmur3(key, KEY_SEED);
}

/** For those who have no key: as if they had one. @param random Uniform in [0, 1). */
export function anyKeyHash(random: number): number {
  return finalize(random * 2 ** 32);
}

/** What a node draws for a key: uniform in (0, 1). */
export function drawOf(node: number, key: number): number {
  return (finalize(node ^ key) + 0.5) / 2 ** 32;
}
