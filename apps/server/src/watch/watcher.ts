import type { Catalog } from '#catalog';
import type { Cursor, Frame } from '../streams/index.js';
import type { ChangeFrames } from './change-frames.js';
import type { Feed, Place } from './feed.js';
import type { ResyncReason } from './snapshot.js';

/** One watcher's place in its feed, and what it has been told of the registry's being away. */
export class Watcher implements Cursor {
  /** Undefined: whoever comes back may have heard anything. */
  private toldLive: boolean | undefined;

  /**
   * @param place Undefined: it begins with a snapshot.
   * @param resync Why it does, of one that comes back.
   */
  constructor(
    private readonly feed: Feed,
    private readonly catalog: Catalog,
    private readonly frames: ChangeFrames,
    readonly news: () => void,
    readonly close: () => void,
    private place: Place | undefined,
    private resync: ResyncReason | undefined,
  ) {}

  /** Everything before this has been heard. */
  get heard(): Place {
    return this.place ?? Infinity;
  }

  get id(): string | undefined {
    return this.place === this.feed.end ? this.frames.revisionText(this.catalog.revision) : undefined;
  }

  next(): readonly Frame[] | undefined {
    if (this.place === undefined) return this.begin();
    if (this.place < this.feed.end) {
      const batch = this.feed.read(this.place);
      if (!batch) {
        this.resync = 'too old';
        return this.begin();
      }
      this.place = batch.to;
      return batch.frames;
    }
    return this.freshness();
  }

  private begin(): readonly Frame[] {
    const snapshot = this.feed.begin();
    this.place = snapshot.place;
    this.toldLive = snapshot.live;
    return [snapshot.frame(this.resync)];
  }

  private freshness(): readonly Frame[] | undefined {
    const { live, revision } = this.catalog;
    if (live === this.toldLive) return undefined;
    this.toldLive = live;
    if (live) return [this.frames.frame('live', revision, {})];
    const { source, ageMs, reason } = this.catalog.freshnessNow();
    return [this.frames.frame('stale', revision, { source, age_ms: ageMs, reason })];
  }
}
