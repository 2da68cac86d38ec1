import type { Clock } from '../clock.js';

const EPOCH = Date.UTC(2030, 0, 1);

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  private time = 0;
  private setBy = 0;
  private readonly sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return EPOCH + this.time + this.setBy;
  }

  monotonic(): number {
    return this.time;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        at: this.time + ms,
        wake: () => {
          this.sleepers.delete(sleeper);
          signal.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake);
    });
  }

  /** Somebody sets the wall clock: no time passes. */
  set(byMs: number): void {
    this.setBy += byMs;
  }

  /** Lets time pass, and everybody do in turn what was waiting for a moment of it. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const [next] = [...this.sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    this.time = end;
  }
}

/** When nobody has anything left to do but to wait for time or for the outside. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
