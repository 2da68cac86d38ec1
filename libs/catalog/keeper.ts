import type { Clock } from './clock.js';
import type { LastKnownFile } from './last-known.js';
import type { CatalogEntry } from './view.js';

const KEEP_EVERY_MS = 10_000;

interface Known {
  readonly live: boolean;
  readonly revision: number;
  all(): Iterable<CatalogEntry>;
}

/** Keeps what is known on disk while it is live: what has changed is written, what has not is confirmed. */
export async function keepUntilStopped(
  known: Known,
  file: LastKnownFile,
  clock: Clock,
  stopping: AbortSignal,
): Promise<void> {
  let kept: number | undefined;
  while (!stopping.aborted) {
    await clock.sleep(KEEP_EVERY_MS, stopping);
    if (!known.live) continue;
    const { revision } = known;
    if (revision === kept) await file.confirm(clock.now());
    else if (await file.save(Array.from(known.all(), ({ instance }) => instance))) kept = revision;
  }
}
