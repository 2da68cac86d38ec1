/** Waits between attempts: each twice as long as the one before up to a limit, and jittered. */
export class Backoff {
  private wait: number;

  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
    private readonly sleep: (ms: number, signal: AbortSignal) => Promise<void> = pause,
  ) {
    this.wait = firstMs;
  }

  /** An attempt has succeeded. */
  reset(): void {
    this.wait = this.firstMs;
  }

  /** Resolves after the next wait, or as soon as the signal aborts. */
  pause(signal: AbortSignal): Promise<void> {
    const ms = jittered(this.wait);
    this.wait = Math.min(this.wait * 2, this.mostMs);
    return this.sleep(ms, signal);
  }
}

/** Half of it to all of it, so that many do not come back together. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}

/**
 * Resolves after so many milliseconds, or as soon as the signal aborts.
 *
 * @param ref False where nobody waits for it: it keeps no process alive.
 */
export function pause(ms: number, signal: AbortSignal, { ref = true } = {}): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    // A browser's timer is a number.
    if (!ref && typeof timer === 'object') timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
