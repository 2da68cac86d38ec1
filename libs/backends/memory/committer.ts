import { BackendError, type Logger } from '#core';
import type { Store } from './store.js';

const RETRY_MS = 1_000;
/** More callers than this wait for the disk, and it no longer answers: the next are refused. */
const MAX_WAITING = 100_000;

interface Waiter {
  resolve(): void;
  reject(error: BackendError): void;
}

/**
 * Group commit: while one write is on its way to the disk, what changes meanwhile gathers for the
 * next. What a failed write held stays dirty and goes with a later one, so disk follows memory.
 */
export class Committer<T> {
  /** The latest write has failed, or is not done in time. */
  failing = false;
  private dirty = new Set<string>();
  /** Of these, more than the lease has changed since the disk last had them. */
  private readonly changed = new Set<string>();
  private waiters: Waiter[] = [];
  private running: Promise<void> | undefined;
  /** Set while a failed write waits for its next attempt; what comes meanwhile waits with it. */
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: Store<T>,
    private readonly current: (key: string) => T | undefined,
    private readonly lastVersion: () => number,
    private readonly logger: Logger,
  ) {}

  get full(): boolean {
    return this.waiters.length >= MAX_WAITING;
  }

  /**
   * Resolves when the present state of this entry is on disk; OUTCOME_UNKNOWN when the disk refused
   * it for now, or the caller would wait no longer.
   */
  commit(key: string, signal?: AbortSignal): Promise<void> {
    const written = new Promise<void>((resolve, reject) => this.waiters.push({ resolve, reject }));
    this.change(key);
    return signal ? this.unlessAborted(written, signal) : written;
  }

  /** The disk does not have the present content of this entry, or has one that is gone. */
  owes(key: string): boolean {
    return this.changed.has(key);
  }

  /** It has changed or gone, and nobody waits. */
  change(key: string): void {
    this.changed.add(key);
    this.touch(key);
  }

  /** Writes it some time soon, for its lease alone. */
  touch(key: string): void {
    this.dirty.add(key);
    if (!this.retry) void this.run();
  }

  /** Writes what is dirty, or tries once. The owner changes nothing any more. */
  async close(): Promise<void> {
    await this.running;
    if (this.dirty.size > 0) await this.run();
    clearTimeout(this.retry);
  }

  private run(): Promise<void> {
    return (this.running ??= this.drain());
  }

  private async drain(): Promise<void> {
    // Whatever else this turn of the event loop changes goes along.
    await new Promise(setImmediate);
    while (this.dirty.size > 0 && (await this.writeOnce()));
    // In one turn with the check: what is touched later begins anew.
    this.running = undefined;
  }

  private async writeOnce(): Promise<boolean> {
    const keys = this.dirty;
    const waiters = this.waiters;
    this.dirty = new Set();
    this.waiters = [];
    try {
      await this.store.write(new Map([...keys].map((key) => [key, this.current(key)])), this.lastVersion());
      // What was touched meanwhile may have changed again.
      for (const key of keys) if (!this.dirty.has(key)) this.changed.delete(key);
      for (const waiter of waiters) waiter.resolve();
      this.failing = false;
      return true;
    } catch (cause) {
      this.failing = true;
      this.logger.error({ err: cause, entries: keys.size }, 'could not write to the data directory; will try again');
      for (const key of keys) this.dirty.add(key);
      const error = new BackendError('OUTCOME_UNKNOWN', 'the change is in memory but not yet on disk', { cause });
      for (const waiter of waiters) waiter.reject(error);
      this.tryAgainLater();
      return false;
    }
  }

  private tryAgainLater(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.run();
    }, RETRY_MS);
  }

  private unlessAborted(written: Promise<void>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.failing = true;
        reject(new BackendError('OUTCOME_UNKNOWN', 'the change was not on disk in time', { cause: signal.reason }));
      };
      signal.addEventListener('abort', abort, { once: true });
      void written.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }
}
