import { setMaxListeners } from 'node:events';

/** A write that the registry has not answered by then has an unknown outcome. */
export const WRITE_DEADLINE_MS = 3_000;

/** Who asks within this time gets the same signal: it comes so much later than it must. */
const SHARED_MS = 10;

/**
 * Signals that abort after a time. Who asks at about the same time shares one: with a signal and a timer of its
 * own, each of thousands of writes a second would spend a tenth of its time on them.
 */
export class Deadlines {
  private signal: AbortSignal | undefined;

  constructor(private readonly ms: number) {}

  next(): AbortSignal {
    return (this.signal ??= this.begin());
  }

  private begin(): AbortSignal {
    const { ms } = this;
    const deadline = new AbortController();
    // Of all who share it: many are no leak.
    setMaxListeners(0, deadline.signal);
    // The time begins when it is given to nobody any more: it is never shorter, even after a standstill.
    setTimeout(() => {
      this.signal = undefined;
      setTimeout(() => deadline.abort(new Error(`not done within ${ms} ms`)), ms).unref();
    }, SHARED_MS).unref();
    return deadline.signal;
  }
}
