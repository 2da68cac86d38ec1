import { pause } from './backoff.js';
import type { ConfigHeads } from './config-store.js';

/** How soon the changes of others are seen where the registry does not tell of them. */
const EVERY_MS = 1_000;

/**
 * A watch for registries that are asked: tells the heads again and again, though they be the same. What its reader has
 * written itself may be lost between two of them.
 */
export async function* watchByReading(
  read: (signal: AbortSignal) => Promise<ConfigHeads>,
  signal: AbortSignal,
): AsyncGenerator<ConfigHeads, void> {
  while (!signal.aborted) {
    const heads = await readUnlessStopped(read, signal);
    if (!heads) return;
    yield heads;
    await pause(EVERY_MS * (0.9 + 0.2 * Math.random()), signal);
  }
}

async function readUnlessStopped(
  read: (signal: AbortSignal) => Promise<ConfigHeads>,
  signal: AbortSignal,
): Promise<ConfigHeads | undefined> {
  try {
    return await read(signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
