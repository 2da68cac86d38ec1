import { asBackendError, pause, type Logger } from '#core';
import type { Registry, State } from './registry.js';
import { EXPIRE_AT_ONCE } from './scripts.js';

/** An instance goes at most this long after its lease. */
const EVERY_MS = 500;

/**
 * Looks at the registry in short intervals: leases that have run out end, data that were lost or have gone
 * back are found. Each replica does it for all, so one is enough.
 */
export class Ticker {
  private readonly stopping = new AbortController();
  private ticking: Promise<void> = Promise.resolve();
  private failing = false;

  constructor(
    private readonly registry: Registry,
    private readonly seen: (state: State) => void,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.ticking = this.keepTicking();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ticking;
  }

  /**
   * All at once after an outage would hold up Redis: they go in portions. What was seen is told once, at the end:
   * between two portions nobody has the time to follow.
   */
  async tick(): Promise<void> {
    let state = await this.registry.tick();
    while (state.expired === EXPIRE_AT_ONCE && !this.stopped()) state = await this.registry.tick();
    this.seen(state);
  }

  private async keepTicking(): Promise<void> {
    for (;;) {
      await pause(EVERY_MS * (0.9 + 0.2 * Math.random()), this.stopping.signal);
      if (this.stopped()) return;
      try {
        await this.tick();
        this.failing = false;
      } catch (error) {
        const reason = asBackendError(error).message;
        if (!this.failing) this.logger.warn({ reason }, 'no lease ends while Redis takes no writes');
        this.failing = true;
      }
    }
  }

  private stopped(): boolean {
    return this.stopping.signal.aborted;
  }
}
