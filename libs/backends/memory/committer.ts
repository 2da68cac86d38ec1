import { BackendError, type Logger } from '#core';
import type { Store, StoredInstance } from './store.js';

const RETRY_MS = 1_000;

interface Waiter {
  resolve(): void;
  reject(error: BackendError): void;
}

/**
 * Group commit: while one write is on its way to the disk, what changes meanwhile gathers for the
 * next. What a failed write held stays dirty and goes with a later one, so disk follows memory.
 */
export class Committer {
  private dirty = new Set<string>();
  private waiters: Waiter[] = [];
  private running: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: Store,
    private readonly current: (key: string) => StoredInstance | undefined,
    private readonly lastVersion: () => number,
    private readonly logger: Logger,
  ) {}

  /** Resolves when the present state of this instance is on disk; OUTCOME_UNKNOWN when the disk refused it for now. */
  commit(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.touch(key);
    });
  }

  /** Writes it some time soon; nobody waits. */
  touch(key: string): void {
    this.dirty.add(key);
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    clearTimeout(this.retry);
    while (this.running) await this.running;
    clearTimeout(this.retry);
  }

  private async run(): Promise<void> {
    // Whatever else this turn of the event loop changes goes along.
    await new Promise(setImmediate);
    while (this.dirty.size > 0 && (await this.writeOnce()));
    this.running = undefined;
  }

  private async writeOnce(): Promise<boolean> {
    const keys = this.dirty;
    const waiters = this.waiters;
    this.dirty = new Set();
    this.waiters = [];
    try {
      await this.store.write(new Map([...keys].map((key) => [key, this.current(key)])), this.lastVersion());
      for (const waiter of waiters) waiter.resolve();
      return true;
    } catch (cause) {
      this.logger.error({ err: cause, instances: keys.size }, 'could not write to the data directory; will try again');
      for (const key of keys) this.dirty.add(key);
      const error = new BackendError('OUTCOME_UNKNOWN', 'the change is in memory but not yet on disk', { cause });
      for (const waiter of waiters) waiter.reject(error);
      this.retry = setTimeout(() => {
        this.running ??= this.run();
      }, RETRY_MS).unref();
      return false;
    }
  }
}
