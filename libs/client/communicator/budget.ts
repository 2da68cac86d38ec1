import type { Clock } from '../clock.js';

/** Calls that may be tried again before any has paid in, and after however long a silence. */
const FLOAT = 10;
/** How long what was saved beyond that lasts: a burst of failures comes when many calls run into one time-out. */
const SAVED_MS = 10_000;

/** Each call pays in a share of a retry, so that retries are no more than that share of all calls, and the float. */
export class RetryBudget {
  private tokens = FLOAT;
  private at: number;

  constructor(
    private readonly share: number,
    private readonly clock: Clock,
  ) {
    this.at = clock.now();
  }

  paid(): void {
    const now = this.clock.now();
    const saved = Math.max(this.tokens - FLOAT, 0);
    // What was saved fades, so that after a busy time not everything may be tried again at once.
    this.tokens += this.share - saved * (1 - Math.exp((this.at - now) / SAVED_MS));
    this.at = now;
  }

  /** False when there is nothing left: the failure stands. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
