import { LRUCache } from 'lru-cache';
import { asBackendError, Backoff, compareVersions, pause, type BackendError, type Version } from '#core';
import type { Client, List, WatchEvent } from './client.js';
import { ApiError, hasStatus } from './errors.js';
import { nameOf, versionOf, type KubernetesObject } from './objects.js';

/** How long a watch lives; the API server ends it, and the next goes on where it was. */
const WATCH_S = { least: 30, most: 60 };
const IDLE_SLACK_MS = 5_000;
/** One that ends sooner did not stand. */
const SHORT_MS = 1_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5_000;
const REMEMBERED = 10_000;

export interface Source {
  readonly path: string;
  readonly labelSelector?: string;
}

/** Who is told. */
export interface Listener<T> {
  /**
   * `before` and `after` as far as there was or is one; `version` that of the change. Not `seen`: it was found
   * by comparing.
   */
  changed(before: T | undefined, after: T | undefined, version: Version, seen: boolean): void;
  /** Versions have gone back: the registry's past is not the one we know. This reflector goes no further. */
  rewound(): void;
  /** Everything has been told, and the watch stands; or does not any more. */
  standing(error: BackendError | undefined): void;
}

/**
 * A copy of all objects of a kind, kept by listing them and watching from there; listed again after every
 * break, so that it converges whatever was lost. A change that is told late does not undo a newer one.
 */
export class Reflector<T extends KubernetesObject> {
  readonly objects = new Map<string, T>();
  /** Everything up to here has been told. */
  floor: Version = '0';
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS);
  private running: Promise<void> = Promise.resolve();
  /** What has gone last: a list that was being read may still have it, and so may one of another past. */
  private readonly gone = new LRUCache<string, Version>({ max: REMEMBERED });

  constructor(
    private readonly client: Client,
    private readonly source: Source,
    private readonly listener: Listener<T>,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Reads everything anew. */
  refresh(signal?: AbortSignal): Promise<void> {
    return this.read(signal, (list) => this.merge(list));
  }

  /** What a request of our own has shown; the watch tells it later. Has it come that far, the object may have gone since. */
  observe(object: T): void {
    if (compareVersions(versionOf(object), this.floor) > 0) this.take(object);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.load(signal);
        await this.follow(signal);
      } catch (error) {
        await this.broken(error, signal);
      }
    }
  }

  private async broken(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    // Of history that is gone a list is the remedy.
    if (!hasStatus(error, 410)) this.listener.standing(asBackendError(error));
    if (error instanceof ApiError && error.retryAfterMs) await pause(error.retryAfterMs, signal);
    await this.backoff.pause(signal);
  }

  private load(signal: AbortSignal): Promise<void> {
    const { floor } = this;
    return this.read(signal, (list) => {
      if (
        compareVersions(list.metadata.resourceVersion, floor) < 0 ||
        list.items.some((item) => this.isBack(item, list) || this.isUndone(item, list))
      ) {
        this.stopping.abort();
        this.listener.rewound();
      } else this.merge(list);
    });
  }

  /** Returns when the watch has broken after it has stood for a while. */
  private async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const begun = performance.now();
      try {
        await this.watch(signal);
      } catch (error) {
        if (performance.now() - begun < SHORT_MS || error instanceof ApiError) throw error;
        return;
      }
      if (performance.now() - begun < SHORT_MS) throw new Error('the watch ended at once');
    }
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const { path, labelSelector } = this.source;
    const timeoutSeconds = Math.round(WATCH_S.least + Math.random() * (WATCH_S.most - WATCH_S.least));
    const query = { labelSelector, resourceVersion: this.floor, allowWatchBookmarks: true, timeoutSeconds };
    const idleMs = timeoutSeconds * 1_000 + IDLE_SLACK_MS;
    for await (const events of this.client.watch<T>(path, query, idleMs, signal)) {
      if (events.length === 0) this.listener.standing(undefined);
      else this.backoff.reset();
      for (const event of events) this.apply(event);
    }
  }

  private apply({ type, object }: WatchEvent<T>): void {
    const version = versionOf(object);
    // A list has told it since.
    if (compareVersions(version, this.floor) <= 0) return;
    if (type === 'DELETED') this.drop(object, version, true);
    else if (type !== 'BOOKMARK') this.take(object);
    this.floor = version;
  }

  private async read(signal: AbortSignal | undefined, take: (list: List<T>) => void): Promise<void> {
    const { path, labelSelector } = this.source;
    take(await this.client.list<T>(path, { labelSelector }, signal));
  }

  private merge(list: List<T>): void {
    const { resourceVersion } = list.metadata;
    const present = new Set(list.items.map(nameOf));
    for (const [name, object] of this.objects) {
      if (!present.has(name) && !this.isAhead(object, list)) this.drop(object, resourceVersion, false);
    }
    for (const item of list.items) {
      if (!this.hasGone(item)) this.take(item);
    }
    if (compareVersions(resourceVersion, this.floor) > 0) this.floor = resourceVersion;
  }

  /** It is older than the one we know, and that one is none that this list could not have. */
  private isBack(item: T, list: List<T>): boolean {
    const known = this.objects.get(nameOf(item));
    return known !== undefined && compareVersions(versionOf(item), versionOf(known)) < 0 && !this.isAhead(known, list);
  }

  /** We have been told of its end, or of that of a newer one. */
  private hasGone(item: T): boolean {
    const gone = this.gone.get(nameOf(item));
    return gone !== undefined && compareVersions(versionOf(item), gone) <= 0;
  }

  /** It is there again as it was before its end, though this list is not older than that. */
  private isUndone(item: T, { metadata }: List<T>): boolean {
    return this.hasGone(item) && compareVersions(this.gone.get(nameOf(item))!, metadata.resourceVersion) <= 0;
  }

  private isAhead(object: T, { metadata }: List<T>): boolean {
    return compareVersions(versionOf(object), metadata.resourceVersion) > 0;
  }

  private take(object: T): void {
    const name = nameOf(object);
    const before = this.objects.get(name);
    const version = versionOf(object);
    if (before && compareVersions(version, versionOf(before)) <= 0) return;
    this.objects.set(name, slim(object));
    this.listener.changed(before, object, version, true);
  }

  private drop(object: T, version: Version, seen: boolean): void {
    const name = nameOf(object);
    const before = this.objects.get(name);
    if (before && compareVersions(version, versionOf(before)) < 0) return;
    this.gone.set(name, version);
    this.objects.delete(name);
    if (before) this.listener.changed(before, undefined, version, seen);
  }
}

/** Without who has written which field: as much again as the object itself. */
function slim<T extends KubernetesObject>(object: T): T {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}
