import { pause } from '#core';

/** Time, to whatever waits or remembers when: heartbeats, drains, attempts again, breakers, averages. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as the signal aborts. */
  pause(ms: number, signal: AbortSignal, options?: PauseOptions): Promise<void>;
}

export interface PauseOptions {
  /** False where nobody waits for it: it keeps no process alive. */
  readonly ref?: boolean;
}

export const systemClock: Clock = { now: () => performance.now(), pause };
