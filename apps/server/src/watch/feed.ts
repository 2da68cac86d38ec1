import { keyText, matches, NO_FILTER, type InstanceFilter, type InstanceKey, type ServiceInstance } from '#core';
import type { Catalog, CatalogEntry, ContentChange } from '#catalog';
import type { Visibility } from '../auth/visibility.js';
import type { Frame } from '../streams/index.js';
import type { ChangeFrames } from './change-frames.js';
import { Snapshot } from './snapshot.js';

/** What a watcher wants to see. */
export interface Scope {
  /** Undefined: all services, but for those in `except`. */
  readonly serviceName: string | undefined;
  readonly except?: string;
  readonly filter: InstanceFilter;
  /** Of those, only what whoever watches may see. */
  readonly visibility: Visibility;
}

/** A position in a feed: how many events there were before. Those from before the feed are below zero. */
export type Place = number;

interface Entry {
  /** A later event of the same key says all that this one does. */
  readonly key: string;
  readonly revision: number;
  readonly frame: () => Frame;
}

/** So much at a time for one reader, about. */
const BATCH_BYTES = 64 * 1_024;
/** A snapshot is good for the next reader too while what has come after it is this much less, and no vitals in it are older. */
const SNAPSHOT_RATIO = 16;
const SNAPSHOT_FRESH_MS = 2_000;

/**
 * What the watchers of one scope are told: the events that they have not all heard, and a snapshot for those who
 * begin. A reader is only a place in it. One that comes late gets each instance's latest event alone, and one whose
 * place is no longer there begins anew.
 */
export class Feed {
  private log: Entry[] = [];
  /** The place of the first in the log. */
  private start: Place = 0;
  /** The place of the latest event of each key in the log. */
  private readonly latest = new Map<string, Place>();
  /** Nothing that came after this revision, and that the scope shows, is missing from the log. */
  private since: number;
  private snapshot: Snapshot | undefined;
  private batch: { from: Place; end: Place; to: Place; frames: readonly Frame[] } | undefined;

  constructor(
    private readonly scope: Scope,
    private readonly catalog: Catalog,
    private readonly frames: ChangeFrames,
  ) {
    this.since = catalog.revision;
  }

  /** The place of whoever has heard everything. */
  get end(): Place {
    return this.start + this.log.length;
  }

  /** Its service is in scope. */
  covers(key: Pick<InstanceKey, 'serviceName'>): boolean {
    const { serviceName, except } = this.scope;
    return serviceName === undefined ? key.serviceName !== except : key.serviceName === serviceName;
  }

  /** It passes the filter, and may be seen. */
  shows(instance: ServiceInstance): boolean {
    return matches(instance, this.scope.filter) && this.scope.visibility.sees(instance);
  }

  /** What is about a service as a whole is for whoever may see all of it; what is about none, for everybody. */
  mayHearOf(serviceName: string | undefined): boolean {
    return serviceName === undefined || this.scope.visibility.seesAllOf(serviceName);
  }

  /** Takes a change of a service in scope. False when it is none to these watchers. */
  offer(change: ContentChange): boolean {
    const entry = this.entryOf(change);
    if (entry) this.push(entry);
    return entry !== undefined;
  }

  /** An event that is no change: whoever comes back later does not hear it. */
  push(entry: Entry): void {
    this.latest.set(entry.key, this.end);
    this.log.push(entry);
  }

  /** Forgets what everybody has heard, who has heard as much as this, and what is too old. */
  trim(heard: Place): void {
    const { rememberedSince } = this.catalog;
    let gone = 0;
    for (const { key, revision } of this.log) {
      const place = this.start + gone;
      if (place >= heard && revision > rememberedSince) break;
      if (this.latest.get(key) === place) this.latest.delete(key);
      this.since = Math.max(this.since, revision);
      gone++;
    }
    this.log.splice(0, gone);
    this.start += gone;
    this.batch = undefined;
    if (this.snapshot && this.snapshot.ageMs > SNAPSHOT_FRESH_MS) this.snapshot = undefined;
  }

  /** Where a reader stands who has heard everything up to the revision; undefined when it has to begin anew. */
  placeAfter(revision: number): Place | undefined {
    if (revision > this.catalog.revision) return undefined;
    if (this.catalog.revisionOf(this.scope.serviceName) <= revision) return this.end;
    if (revision < this.since && !this.reachBack(revision)) return undefined;
    const index = this.log.findIndex((entry) => entry.revision > revision);
    return index < 0 ? this.end : this.start + index;
  }

  /** What a reader at this place is told next, and where it stands then; undefined when the place is no longer there. */
  read(from: Place): { readonly frames: readonly Frame[]; readonly to: Place } | undefined {
    if (from < this.start) return undefined;
    const { end } = this;
    // Most readers stand at the same place.
    if (this.batch?.from !== from || this.batch.end !== end) this.batch = { from, end, ...this.collect(from) };
    return this.batch;
  }

  /** Everything there is: a little earlier than now, when that spares making it. */
  begin(): Snapshot {
    if (!this.snapshot || !this.isGood(this.snapshot))
      this.snapshot = new Snapshot(this.entries(), this.end, this.catalog, this.frames);
    return this.snapshot;
  }

  private isGood({ place, size, live, ageMs }: Snapshot): boolean {
    if (place < this.start || live !== this.catalog.live || ageMs > SNAPSHOT_FRESH_MS) return false;
    return (this.end - place) * SNAPSHOT_RATIO <= size;
  }

  private collect(from: Place): { frames: readonly Frame[]; to: Place } {
    const frames: Frame[] = [];
    let bytes = 0;
    let place = from;
    for (; place < this.end && bytes < BATCH_BYTES; place++) {
      const entry = this.log[place - this.start]!;
      if (this.latest.get(entry.key) !== place) continue;
      const frame = entry.frame();
      frames.push(frame);
      bytes += frame.eventStream.length;
    }
    return { frames, to: place };
  }

  private entryOf(change: ContentChange): Entry | undefined {
    const shown = change.kind === 'upsert' && this.shows(change.instance);
    const before = change.kind === 'upsert' ? change.before : change.instance;
    if (!shown && !(before && this.shows(before))) return undefined;
    const frame = () => (shown ? this.frames.upsert(change) : this.frames.removal(change));
    return { key: keyText(change.instance), revision: change.revision, frame };
  }

  /** Puts before the log what came after the revision. False when that is not known any more. */
  private reachBack(revision: number): boolean {
    const known = this.catalog.changesAfter(revision);
    if (!known) return false;
    const earlier = known.filter((change) => change.revision <= this.since && this.covers(change.instance));
    const entries = earlier.flatMap((change) => this.entryOf(change) ?? []);
    this.start -= entries.length;
    this.log = [...entries, ...this.log];
    this.since = revision;
    // From the end, so that the latest stands.
    for (let i = entries.length - 1; i >= 0; i--) {
      const { key } = entries[i]!;
      if (!this.latest.has(key)) this.latest.set(key, this.start + i);
    }
    return true;
  }

  private entries(): readonly CatalogEntry[] {
    const { serviceName, except, filter, visibility } = this.scope;
    const entries =
      serviceName === undefined
        ? [...this.catalog.find(filter)].flatMap(([name, each]) => (name === except ? [] : each))
        : (this.catalog.instances(serviceName) ?? []);
    const isFree = visibility.all && (serviceName === undefined || filter === NO_FILTER);
    return isFree ? entries : entries.filter(({ instance }) => this.shows(instance));
  }
}
