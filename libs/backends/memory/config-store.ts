import {
  asBackendError,
  BackendError,
  checkPrevious,
  forgottenBy,
  Turns,
  type ConfigEntry,
  type ConfigHeads,
  type ConfigKey,
  type ConfigStore,
  type Logger,
} from '#core';
import { Committer } from './committer.js';
import type { Store } from './store.js';

/** Configuration in this process: a map of versions for each key, and durable where there is a store. */
export class MemoryConfigStore implements ConfigStore {
  private readonly newest = new Map<ConfigKey, number>();
  private readonly versions = new Map<string, ConfigEntry>();
  private readonly committer: Committer<ConfigEntry> | undefined;
  private readonly wakers = new Set<() => void>();
  private readonly turns = new Turns();
  private appended = 0;
  private stopped = false;

  constructor(
    private readonly store: Store<ConfigEntry> | undefined,
    logger: Logger,
  ) {
    if (!store) return;
    this.committer = new Committer(
      store,
      (name) => this.versions.get(name),
      () => this.appended,
      logger,
    );
  }

  /** The disk takes no writes. */
  get failing(): boolean {
    return this.committer?.failing ?? false;
  }

  async open(): Promise<void> {
    const state = await this.store?.open();
    if (!state) return;
    this.appended = state.lastVersion;
    for (const [name, entry] of state.values) {
      this.versions.set(name, entry);
      const key = name.slice(0, name.lastIndexOf('@'));
      this.newest.set(key, Math.max(entry.version, this.newest.get(key) ?? 0));
    }
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.committer?.close();
    await this.store?.close();
  }

  async heads(signal?: AbortSignal): Promise<ConfigHeads> {
    this.admit(signal);
    return new Map(this.newest);
  }

  async get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined> {
    this.admit(signal);
    const newest = this.newest.get(key) ?? 0;
    const wanted = version ?? newest;
    return wanted > newest ? undefined : this.versions.get(nameOf(key, wanted));
  }

  /** Nobody sees a version that the disk does not have: after a crash its number would be given out again. */
  append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void> {
    return this.turns.take(key, () => this.appendNext(key, entry, signal));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ConfigHeads, void> {
    let told: number | undefined;
    while (!signal.aborted) {
      if (told === this.appended) await this.change(signal);
      else {
        told = this.appended;
        yield this.heads(signal);
      }
    }
  }

  private async appendNext(key: ConfigKey, entry: ConfigEntry, signal: AbortSignal | undefined): Promise<void> {
    this.admit(signal);
    if (this.committer?.full) throw new BackendError('BUSY', 'the disk does not keep up with what waits for it');
    checkPrevious(key, this.newest.get(key) ?? 0, entry);
    const name = nameOf(key, entry.version);
    this.versions.set(name, entry);
    this.forget(key, entry);
    await this.committer?.commit(name, signal);
    this.newest.set(key, entry.version);
    this.appended++;
    this.wake();
  }

  private change(signal: AbortSignal): Promise<void> {
    this.admit(signal);
    return new Promise((resolve) => {
      const wake = () => {
        this.wakers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.wakers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  private wake(): void {
    for (const wake of this.wakers) wake();
  }

  /** Goes to the disk together with what it makes room for. */
  private forget(key: ConfigKey, entry: ConfigEntry): void {
    const [first, last] = forgottenBy(entry);
    for (let version = first; version <= last; version++) {
      const name = nameOf(key, version);
      if (this.versions.delete(name)) this.committer?.change(name);
    }
  }

  private admit(signal: AbortSignal | undefined): void {
    if (this.stopped) throw new BackendError('UNAVAILABLE', 'the registry has stopped');
    if (signal?.aborted) throw asBackendError(signal.reason);
  }
}

function nameOf(key: ConfigKey, version: number): string {
  return `${key}@${version}`;
}
