import { setTimeout as timeout } from 'node:timers/promises';

/** Time as the catalog knows it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds, monotonic. */
  monotonic(): number;
  /** Resolves after this time, or as soon as the signal aborts; keeps no process alive. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => timeout(ms, undefined, { signal, ref: false }).catch(() => undefined),
};
