import {
  asBackendError,
  Backoff,
  BackendError,
  Places,
  type ConfigEntry,
  type ConfigHeads,
  type ConfigKey,
  type ConfigStore,
  type Logger,
} from '#core';
import { Versions } from './versions.js';

const READS_AT_ONCE = 16;
const READ_DEADLINE_MS = 3_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 2_000;
/** Who acts when a line of versions has lost its end. */
const ACTOR = 'configuration';

export interface ConfigFreshness {
  /** `live`: in step with the registry; `stale`: it is away, this is the last known good; undefined: nothing is known yet. */
  readonly source: 'live' | 'stale' | undefined;
  /** Milliseconds since it was in step; 0 while it is. */
  readonly ageMs: number;
  readonly reason?: string;
}

/** Is told of the newest version of a document, once it is known here, after the beginning; some may be left out. */
export type ConfigListener = (key: ConfigKey, entry: ConfigEntry) => void;

/**
 * The newest version of every document, from one watch of the store: reads wait for nobody, and stand through
 * an outage.
 *
 * Versions never go back. What a store has lost, by whatever accident, is deleted here too; but whoever has seen it
 * stores that deletion, with the next version, so that nobody counts from the beginning again.
 */
export class ConfigView {
  /** Of those that are followed, the earlier ones. */
  readonly versions: Versions;
  private readonly entries = new Map<ConfigKey, ConfigEntry>();
  private readonly listeners = new Set<ConfigListener>();
  private readonly unreadable = new Set<string>();
  private readonly places = new Places(READS_AT_ONCE);
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private inStepAt: number | undefined;
  private away: BackendError | undefined = new BackendError('UNAVAILABLE', 'not read yet');

  constructor(
    private readonly store: ConfigStore,
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {
    this.versions = new Versions(store);
  }

  start(): void {
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  /** @returns The way to end it. */
  subscribe(listener: ConfigListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  freshness(): ConfigFreshness {
    if (this.inStepAt === undefined) return { source: undefined, ageMs: 0, reason: this.away?.message };
    if (!this.away) return { source: 'live', ageMs: 0 };
    return { source: 'stale', ageMs: Math.round(performance.now() - this.inStepAt), reason: this.away.message };
  }

  /** How many documents are known, and schemas; those that were deleted too. */
  get size(): number {
    return this.entries.size;
  }

  /** The newest version that is known, of a document that was deleted too. */
  get(key: ConfigKey): ConfigEntry | undefined {
    return this.entries.get(key);
  }

  /** Shows a version that is stored, unless a newer one is known. */
  show(key: ConfigKey, entry: ConfigEntry): void {
    if (entry.version <= (this.entries.get(key)?.version ?? 0)) return;
    this.entries.set(key, entry);
    if (this.inStepAt === undefined) return;
    for (const listener of this.listeners) listener(key, entry);
  }

  /** What the store has now, which may be less than what is known here. */
  async read(key: ConfigKey, signal: AbortSignal): Promise<ConfigEntry | undefined> {
    const entry = await this.store.get(key, undefined, signal);
    if (entry) this.show(key, entry);
    return entry;
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS);
    while (!signal.aborted) {
      try {
        for await (const heads of this.store.watch(signal)) {
          await this.catchUp(heads);
          this.inStepAt = performance.now();
          this.away = undefined;
          backoff.reset();
        }
      } catch (error) {
        this.fell(asBackendError(error));
      }
      await backoff.pause(signal);
    }
  }

  private fell(error: BackendError): void {
    if (this.stopping.signal.aborted) return;
    // A registry that is away is warned of by whoever follows its instances.
    if (!this.away) this.logger.info({ reason: error.message }, 'configuration is stale');
    this.away = error;
  }

  private async catchUp(heads: ConfigHeads): Promise<void> {
    const moved = [...heads].filter(([key, version]) => this.entries.get(key)?.version !== version);
    const lost = [...this.entries].filter(([key]) => !heads.has(key));
    await Promise.all([...moved, ...lost].map(([key]) => this.places.take(() => this.follows(key))));
  }

  private async follows(key: ConfigKey): Promise<void> {
    const seen = this.entries.get(key);
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(READ_DEADLINE_MS)]);
    try {
      const found = await this.read(key, signal);
      if (seen && (found?.version ?? 0) < seen.version) await this.countOn(key, seen, found, signal);
    } catch (error) {
      const { code, message } = asBackendError(error);
      if (code !== 'CONFLICT' && code !== 'NOT_SUPPORTED') throw error;
      if (!this.unreadable.has(message)) this.logger.warn({ key, reason: message }, 'a document is left as it was');
      this.unreadable.add(message);
    }
  }

  /** What the store has now becomes a version above the one that was seen. Of many replicas one is first. */
  private async countOn(
    key: ConfigKey,
    seen: ConfigEntry,
    found: ConfigEntry | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { version, createdAt } = seen;
    const deletion = { actor: ACTOR, createdAt, updatedAt: this.now() };
    const next = { ...(found ?? deletion), version: version + 1, previous: found?.version ?? 0 };
    this.versions.clear();
    this.logger.warn({ key, seen: version, found: found?.version }, 'versions of a document were lost');
    try {
      await this.store.append(key, next, signal);
      this.show(key, next);
    } catch (error) {
      if (asBackendError(error).code !== 'CONFLICT') throw error;
    }
  }
}
