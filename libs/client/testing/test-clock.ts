import type { Clock } from '../clock.js';

/** Before anybody puts another one in its place. */
const { setImmediate } = globalThis;

/** Time that passes when a test says so. */
export class TestClock implements Clock {
  private time = 0;
  private readonly sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  private watching: ((ms: number) => void)[] = [];

  now(): number {
    return this.time;
  }

  pause(ms: number, signal: AbortSignal): Promise<void> {
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
      for (const told of this.watching.splice(0)) told(ms);
    });
  }

  /** Resolves when somebody begins to wait, with how long: a call for its next attempt, a heartbeat done for the next. */
  nextPause(): Promise<number> {
    return new Promise((resolve) => this.watching.push(resolve));
  }

  /** Lets time pass: whoever waits for a moment of it goes on, one after the other. Requests take the time they take. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
    this.time = end;
  }
}
