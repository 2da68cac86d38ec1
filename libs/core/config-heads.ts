import { pause } from './backoff.js';
import type { ConfigHeads } from './config-store.js';

/** How soon the changes of others are seen where the registry does not tell of them. */
const EVERY_MS = 1_000;

/** A watch for registries that are asked: reads the heads again and again, and tells them when they have moved. */
export async function* watchByReading(
  read: (signal: AbortSignal) => Promise<ConfigHeads>,
  signal: AbortSignal,
): AsyncGenerator<ConfigHeads, void> {
  let told: ConfigHeads | undefined;
  while (!signal.aborted) {
    const heads = await readUnlessStopped(read, signal);
    if (!heads) return;
    if (!told || !sameHeads(told, heads)) yield (told = heads);
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

function sameHeads(one: ConfigHeads, other: ConfigHeads): boolean {
  if (one.size !== other.size) return false;
  for (const [key, version] of one) if (other.get(key) !== version) return false;
  return true;
}
