import { Cancellations } from './cancellations.js';

/** So many at the same time; the others wait, in the order in which they came. */
export class Places {
  private readonly waiting = new Set<() => void>();
  private readonly cancellations = new Cancellations();

  constructor(private free: number) {}

  /** Rejects with the signal's reason, and has not begun, when that comes before a place is free. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.free > 0) this.free--;
    else await this.turn(signal);
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const come = () => {
        stay();
        resolve();
      };
      const stay = this.cancellations.add(signal, () => {
        stay();
        this.waiting.delete(come);
        reject(signal!.reason as Error);
      });
      this.waiting.add(come);
    });
  }

  private passOn(): void {
    const [next] = this.waiting;
    if (!next) {
      this.free++;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
