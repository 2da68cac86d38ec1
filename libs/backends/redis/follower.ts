import { asBackendError, Backoff, compareVersions, type Logger, type Version, type Watches } from '#core';
import type { Change, ChangeLog, News } from './change-log.js';
import type { Registry, State } from './registry.js';
import { keyIn } from './stored.js';

/** How long a reading waits for something to happen. */
export const WAIT_MS = 1_000;
const RETRY_FIRST_MS = 50;
const RETRY_MOST_MS = 1_000;

/** Tells the watches what the log of changes says, from where it was last; what the log has lost they read anew. */
export class Follower {
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS);
  private following: Promise<void> = Promise.resolve();
  private epoch: string | undefined;
  /** Everything up to here has been told. */
  private position: Version = '0';
  /** Instances that were read newer than the entry that led to them: their own entries are still to come. */
  private readonly ahead = new Map<string, Version>();
  private away = false;
  /** Where we were when we were last seen to be behind. */
  private behindAt: Version | undefined;

  constructor(
    private readonly registry: Registry,
    private readonly log: ChangeLog,
    private readonly watches: Watches,
    private readonly logger: Logger,
  ) {}

  /** Resolves when it follows, or has told that the registry is away. */
  async start(): Promise<void> {
    await this.attempt(() => this.catchUp());
    this.following = this.follow();
  }

  /** The connection has to be closed by then: a reading may be waiting. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  /** What somebody else has seen: it shows data that were lost, and entries that never came. */
  seen({ epoch, version }: State): void {
    if (this.away || this.epoch === undefined) return;
    const behind = compareVersions(version, this.position) > 0;
    if (epoch !== this.epoch || (behind && this.behindAt === this.position)) this.beginAt({ epoch, version });
    this.behindAt = behind ? this.position : undefined;
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const well = await this.attempt(async () => {
        if (this.away) await this.catchUp();
        else await this.advance(WAIT_MS);
      });
      if (well) this.backoff.reset();
      else await this.backoff.pause(signal);
    }
  }

  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.away) this.watches.tell({ kind: 'stale', error: asBackendError(error) });
      this.away = true;
      return false;
    }
  }

  /** From where we were, if all that has happened since is still in the log. */
  private async catchUp(): Promise<void> {
    const state = await this.registry.state();
    if (state.epoch !== this.epoch) this.beginAt(state);
    while (compareVersions(this.position, state.version) < 0) {
      const before = this.position;
      await this.advance(0);
      if (this.position === before) this.beginAt(state);
    }
    if (this.away) this.watches.tell({ kind: 'live', asOf: this.position });
    this.away = false;
  }

  /** Whatever was before is no history of this: everybody reads anew. */
  private beginAt({ epoch, version }: State): void {
    this.epoch = epoch;
    this.position = version;
    this.ahead.clear();
    this.away = false;
    this.watches.resync();
  }

  private async advance(waitMs: number): Promise<void> {
    const news = await this.log.after(this.position, waitMs);
    for (const change of news.changes) {
      const order = BigInt(change.version) - BigInt(this.position);
      // Told already: we have begun anew meanwhile.
      if (order <= 0n) continue;
      if (order > 1n) {
        this.beginAt(await this.registry.state());
        return;
      }
      this.position = change.version;
      this.tell(change, news);
    }
    for (const key of news.loads) if (news.instances.get(key)) this.tellInstance(key, this.position, news);
  }

  private tell({ key, version, removal }: Change, news: News): void {
    const told = this.ahead.get(key);
    if (told !== undefined && compareVersions(version, told) <= 0) {
      if (version === told) this.ahead.delete(key);
    } else if (removal) {
      this.watches.tell({ kind: 'remove', key: keyIn(key), version, ...removal });
    } else {
      this.tellInstance(key, version, news);
    }
  }

  /** Of an instance that has gone meanwhile, its own entry will tell. */
  private tellInstance(key: string, version: Version, { instances }: News): void {
    if (!instances.has(key)) return;
    const instance = instances.get(key);
    if (!instance) {
      this.logger.warn({ key }, 'a record in Redis cannot be read by this release: it is left out');
      this.watches.tell({ kind: 'remove', key: keyIn(key), version, cause: 'unknown' });
      return;
    }
    if (compareVersions(instance.version, this.position) > 0) this.ahead.set(key, instance.version);
    this.watches.tell({ kind: 'upsert', instance });
  }
}
