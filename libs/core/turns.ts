import { abortable } from './abortable.js';
import { asBackendError } from './errors.js';

/** One at a time of each key; the others wait, in the order in which they came. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** @throws BackendError `UNAVAILABLE` when the signal aborts before its turn: then it never begins. */
  async take<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.last.get(key);
    const turn = before
      ? before.then(() => {
          if (signal?.aborted) throw asBackendError(signal.reason);
          return work();
        })
      : work();
    this.keep(key, turn);
    if (before) {
      await abortable(before, signal).catch((reason: unknown) => {
        throw asBackendError(reason);
      });
    }
    return turn;
  }

  /** Whoever comes next waits until it has ended, however it does. */
  private keep(key: string, turn: Promise<unknown>): void {
    const ended = turn
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(key) === ended) this.last.delete(key);
      });
    this.last.set(key, ended);
  }
}
