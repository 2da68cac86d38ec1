/** Waits between attempts: each twice as long as the one before up to a limit, and jittered. */
export class Backoff {
  private wait: number;

  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
  ) {
    this.wait = firstMs;
  }

  /** An attempt has succeeded. */
  reset(): void {
    this.wait = this.firstMs;
  }

  /** Resolves after the next wait, or as soon as the signal aborts. */
  pause(signal: AbortSignal): Promise<void> {
    const ms = this.wait * (0.5 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, this.mostMs);
    return pause(ms, signal);
  }
}

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
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
    signal.addEventListener('abort', done, { once: true });
  });
}
