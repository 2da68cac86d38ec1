import { abortable, Backoff, BackendError, compareVersions, type Version } from '#core';
import type { IEvent } from 'etcd3';
import { Client, type Access } from './client.js';
import type { Connection } from './connection.js';
import type { Endpoint } from './endpoints.js';
import { backendError, isOurSettings } from './errors.js';
import type { Layout } from './layout.js';
import { removalsIn } from './removals.js';
import type { View } from './view.js';
import { Compacted, type WatchNews } from './watch-stream.js';

/** How long a start waits for etcd before it counts as away. */
const START_MS = 6_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 1_000;
const ASK_PROGRESS_MS = 100;
/** Nothing heard of a watch for so long, and all is read anew instead of history. */
const CATCH_UP_MS = 3_000;

export interface Cluster {
  readonly endpoints: readonly Endpoint[];
  readonly access: Access;
  readonly layout: Layout;
}

/** Keeps the view in step with etcd, through one member after the other. */
export class Follower {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private client: Client | undefined;
  /** Replicas begin with different members. */
  private turn = Math.floor(Math.random() * 1_000);
  private checked = false;
  private away = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly connection: Connection,
    private readonly view: View,
  ) {}

  /**
   * Resolves when the view is there, or when no member could be reached in time, which is tried on.
   * @throws BackendError when our settings are wrong.
   */
  async start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const first = new Promise<void>((resolve, reject) => {
      let left = this.cluster.endpoints.length;
      timer = setTimeout(() => {
        this.lost(new BackendError('UNAVAILABLE', `etcd has not answered within ${START_MS} ms`));
        resolve();
      }, START_MS);
      this.running = this.run((error) => {
        if (error && isOurSettings(error)) reject(error);
        else if (!error || --left === 0) resolve();
      });
    });
    await first.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.client?.close();
    await this.running;
  }

  /** This client's member does not answer: the next one may. */
  suspect(client: Client, error: Error): void {
    client.close(error);
  }

  private async run(attempted: (error?: Error) => void): Promise<void> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS);
    const { signal } = this.stopping;
    const { endpoints, access } = this.cluster;
    while (!this.stopped()) {
      const client = new Client(endpoints[this.turn++ % endpoints.length]!, access);
      this.client = client;
      try {
        await this.follow(client, () => {
          backoff.reset();
          attempted();
        });
      } catch (cause) {
        if (this.stopped()) return;
        const error = backendError(cause, client.name, false);
        this.lost(error);
        attempted(error);
      } finally {
        client.close();
      }
      await backoff.pause(signal);
    }
  }

  private async follow(client: Client, connected: () => void): Promise<never> {
    const { layout } = this.cluster;
    const position = await this.unlessStopped(client.position(layout.note));
    if (!this.checked) await this.unlessStopped(client.checkWritable(layout.note));
    this.checked = true;
    if (!this.view.continues(position)) await this.load(client);
    this.connection.use(client);
    for (;;) {
      try {
        await this.tail(client, position.revision, connected);
      } catch (error) {
        if (!(error instanceof Compacted)) throw error;
        await this.load(client);
      }
    }
  }

  private async load(client: Client): Promise<void> {
    const { layout } = this.cluster;
    const { kvs, ...position } = await client.list(layout.range, this.stopping.signal);
    this.view.load(
      kvs.map((kv) => layout.stored(kv)).filter((each) => each !== undefined),
      position,
    );
    this.back();
  }

  /** @param target How far the cluster had come when we came: when that is told, the view is the present. */
  private async tail(client: Client, target: Version, caughtUp: () => void): Promise<never> {
    const watch = await client.watch(this.cluster.layout.range, after(this.view.revision));
    const asking = setInterval(() => watch.askProgress(), ASK_PROGRESS_MS);
    const givingUp = setTimeout(() => watch.cancel(new Compacted('history is not told')), CATCH_UP_MS);
    let behind = true;
    try {
      for await (const news of watch.news()) {
        const told = await this.apply(news, client);
        if (!behind) continue;
        givingUp.refresh();
        if (compareVersions(told, target) < 0) continue;
        behind = false;
        clearInterval(asking);
        clearTimeout(givingUp);
        if (this.back()) this.view.watches.tell({ kind: 'live', asOf: this.view.revision });
        caughtUp();
      }
      throw new Error('the watch has ended');
    } finally {
      clearInterval(asking);
      clearTimeout(givingUp);
    }
  }

  /** Up to where all has been told now. Only what was delivered moves the view's own revision on. */
  private async apply(news: readonly WatchNews[], client: Client): Promise<Version> {
    const { view } = this;
    const { layout } = this.cluster;
    const events = news.flatMap((each) => (each.kind === 'events' ? each.events : []));
    const removals = await removalsIn(events, { layout, view, client });
    for (const event of events) {
      const removal = removals.get(event);
      if (removal) view.remove(removal.key, event.kv.mod_revision, removal.cause, removal.actor);
      else this.put(event);
    }
    const last = events.at(-1);
    if (last) view.reached(last.kv.mod_revision);
    const progress = news.findLast((each) => each.kind === 'progress');
    return progress && compareVersions(progress.revision, view.revision) > 0 ? progress.revision : view.revision;
  }

  /** What we have written ourselves comes back, and need not be read again. */
  private put({ type, kv }: IEvent): void {
    const { layout } = this.cluster;
    const key = layout.keyOf(kv.key);
    const news = type === 'Put' && key && this.view.isNews(key, kv.mod_revision);
    const stored = news ? layout.stored(kv) : undefined;
    if (stored) this.view.put(stored);
  }

  private lost(error: BackendError): void {
    this.connection.lost(error);
    if (this.away) return;
    this.away = true;
    this.view.watches.tell({ kind: 'stale', error });
  }

  /** Whether it was away. */
  private back(): boolean {
    if (!this.away) return false;
    this.away = false;
    return true;
  }

  private stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private unlessStopped<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.stopping.signal);
  }
}

function after(revision: Version): Version {
  return String(BigInt(revision) + 1n);
}
