/** Calls that may be tried again before any has paid in. */
const FLOAT = 10;

/** Each call pays in a share of a retry, so that retries are no more than that share of all calls. */
export class RetryBudget {
  private tokens = FLOAT;

  constructor(private readonly share: number) {}

  paid(): void {
    this.tokens = Math.min(this.tokens + this.share, FLOAT);
  }

  /** False when there is nothing left: the failure stands. */
  take(): boolean {
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
