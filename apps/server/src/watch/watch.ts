import { SpanKind, trace } from '@opentelemetry/api';
import type { InstanceKey, ServiceInstance } from '#core';
import type { Catalog, CatalogChange, ContentChange } from '#catalog';
import { TRACER } from '#telemetry';
import { alertKey, type Alert } from '../alerts/alerts.js';
import type { RevisionRef } from '../answers/answers.js';
import { SEES_ALL } from '../auth/visibility.js';
import type { Channel, Streams } from '../streams/index.js';
import { ChangeFrames } from './change-frames.js';
import { Feed, type Scope } from './feed.js';
import { Watcher } from './watcher.js';

/** A feed, while somebody reads it. */
interface Watched {
  readonly feed: Feed;
  readonly watchers: Set<Watcher>;
}

/** How often feeds forget what everybody has heard. */
const TRIM_MS = 1_000;
const EVERYTHING = '';

/** Tells watchers what changes: those of the same scope share one feed, and all share the bytes of a change. */
export class Watch {
  private readonly feeds = new Map<string, Watched>();
  /** By the service that they show, or everything. */
  private readonly byService = new Map<string, Set<Watched>>();
  private readonly frames: ChangeFrames;
  private trimming: NodeJS.Timeout | undefined;

  constructor(
    private readonly catalog: Catalog,
    private readonly streams: Streams,
  ) {
    this.frames = new ChangeFrames(catalog.epoch);
  }

  /** @param since Where somebody stands who comes back. */
  follow(channel: Channel, scope: Scope, since?: RevisionRef): void {
    const key = keyOf(scope);
    const watched = this.feeds.get(key) ?? this.openFeed(key, scope);
    this.streams.add(channel, (news) => {
      const close = () => {
        watched.watchers.delete(watcher);
        if (watched.watchers.size === 0) this.closeFeed(key, scope);
      };
      const watcher = this.watcher(watched.feed, news, close, since);
      watched.watchers.add(watcher);
      return watcher;
    });
  }

  /** What has just happened to the view. */
  see(change: CatalogChange): void {
    if (change.kind === 'vitals') return;
    if (change.kind === 'freshness') {
      for (const { watchers } of this.feeds.values()) wake(watchers);
      return;
    }
    let told = 0;
    for (const { feed, watchers } of this.concerned(change.instance)) {
      if (!feed.offer(change)) continue;
      wake(watchers);
      told += watchers.size;
    }
    if (told > 0 && trace.getActiveSpan()?.isRecording()) this.traceDelivery(change, told);
  }

  /**
   * Something is wrong: no change of state, so whoever is away does not hear of it.
   * @param instance The one that it is about, if it is about one.
   */
  alert(alert: Alert, instance?: ServiceInstance): void {
    const { revision } = this.catalog;
    const event = this.frames.alert(alert, revision);
    const entry = { key: `alert ${alertKey(alert)}`, revision, frame: () => event };
    const { serviceName } = alert;
    for (const { feed, watchers } of serviceName === undefined
      ? this.feeds.values()
      : this.concerned({ serviceName })) {
      if (instance ? !feed.shows(instance) : !feed.mayHearOf(serviceName)) continue;
      feed.push(entry);
      wake(watchers);
    }
  }

  /** A span that ends when the watchers of a change have been sent it. */
  private traceDelivery({ instance }: ContentChange, watchers: number): void {
    const attributes = {
      'service_discovery.service': instance.serviceName,
      'service_discovery.instance': instance.serviceId,
      'service_discovery.watchers': watchers,
    };
    const span = trace.getTracer(TRACER).startSpan('watch deliver', { kind: SpanKind.PRODUCER, attributes });
    this.streams.whenPassed(() => span.end());
  }

  private watcher(feed: Feed, news: () => void, close: () => void, since: RevisionRef | undefined): Watcher {
    const { catalog, frames } = this;
    if (!since) return new Watcher(feed, catalog, frames, news, close, undefined, undefined);
    const known = since.epoch === catalog.epoch;
    const place = known ? feed.placeAfter(since.number) : undefined;
    return new Watcher(feed, catalog, frames, news, close, place, known ? 'too old' : 'another epoch');
  }

  private *concerned(key: Pick<InstanceKey, 'serviceName'>): Iterable<Watched> {
    yield* this.byService.get(key.serviceName) ?? [];
    for (const watched of this.byService.get(EVERYTHING) ?? []) if (watched.feed.covers(key)) yield watched;
  }

  private openFeed(key: string, scope: Scope): Watched {
    const watched = { feed: new Feed(scope, this.catalog, this.frames), watchers: new Set<Watcher>() };
    this.feeds.set(key, watched);
    const name = scope.serviceName ?? EVERYTHING;
    const same = this.byService.get(name);
    if (same) same.add(watched);
    else this.byService.set(name, new Set([watched]));
    this.trimming ??= setInterval(() => this.trim(), TRIM_MS).unref();
    return watched;
  }

  private closeFeed(key: string, { serviceName = EVERYTHING }: Scope): void {
    const same = this.byService.get(serviceName)!;
    same.delete(this.feeds.get(key)!);
    if (same.size === 0) this.byService.delete(serviceName);
    this.feeds.delete(key);
    if (this.feeds.size > 0) return;
    clearInterval(this.trimming);
    this.trimming = undefined;
  }

  private trim(): void {
    for (const { feed, watchers } of this.feeds.values()) {
      let heard = Infinity;
      for (const watcher of watchers) heard = Math.min(heard, watcher.heard);
      feed.trim(heard);
    }
  }
}

function wake(watchers: Iterable<Watcher>): void {
  for (const { news } of watchers) news();
}

function keyOf({ serviceName = EVERYTHING, except, filter, visibility }: Scope): string {
  const { tags, withoutTags, metadata, healthyOnly, region, zone } = filter;
  const sets = [tags, withoutTags, metadata].map((set) => set.map((each) => JSON.stringify(each)).sort());
  const seen = visibility.seesAllOf(serviceName) ? SEES_ALL.key : visibility.key;
  return JSON.stringify([serviceName, except, ...sets, healthyOnly, region, zone, seen]);
}
