import { BackendError } from '#core';

type Wake = () => void;
const EVERYTHING = '';

/** Those who wait for a change of one service, or of anything, in a bounded number. */
export class Waiters {
  private readonly waiting = new Map<string, Set<Wake>>();
  private count = 0;
  private closed = false;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.count;
  }

  /**
   * Resolves at the next change of this service (`undefined`: of any), when the signal aborts, or when
   * nothing more is to come.
   * @throws BackendError `BUSY` when too many wait already.
   */
  next(serviceName: string | undefined, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.closed) return Promise.resolve();
    if (this.count >= this.max) throw new BackendError('BUSY', `${this.max} callers are waiting for a change already`);
    const scope = serviceName ?? EVERYTHING;
    const set = this.waiting.get(scope) ?? new Set<Wake>();
    this.waiting.set(scope, set);
    this.count++;
    return new Promise((resolve) => {
      const wake = () => {
        set.delete(wake);
        if (set.size === 0 && this.waiting.get(scope) === set) this.waiting.delete(scope);
        this.count--;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      set.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  wake(serviceName: string): void {
    for (const scope of [serviceName, EVERYTHING]) for (const wake of [...(this.waiting.get(scope) ?? [])]) wake();
  }

  /** Nothing more will change: nobody waits any longer. */
  close(): void {
    this.closed = true;
    for (const set of [...this.waiting.values()]) for (const wake of [...set]) wake();
  }
}
