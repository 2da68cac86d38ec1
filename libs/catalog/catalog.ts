import { randomBytes } from 'node:crypto';
import type {
  Actor,
  HealthStatus,
  InstanceFilter,
  InstanceKey,
  Logger,
  RegistryBackend,
  RegistryEvent,
  RemovalCause,
  Vitals,
} from '#core';
import type { CatalogChange, CatalogListener, ContentChange } from './changes.js';
import { systemClock, type Clock } from './clock.js';
import { Freshness, type FreshnessReport } from './freshness.js';
import { History } from './history.js';
import type { LastKnownFile } from './last-known.js';
import { keepUntilStopped } from './keeper.js';
import type { MassLossRules } from './mass-loss.js';
import { Reconciler, type InstanceChange } from './reconciler.js';
import { Upstream } from './upstream.js';
import { View, type CatalogEntry } from './view.js';
import { Waiters } from './waiters.js';

const HOLD_SWEEP_MS = 500;
/** Changes are remembered for whoever was away: some twenty thousand of the usual size. */
const HISTORY_BYTES = 16 * 1_024 * 1_024;

export interface CatalogOptions {
  readonly refreshEveryMs: number;
  readonly massLoss: MassLossRules;
  /** How many callers may wait for a change at once. */
  readonly maxWaiters: number;
  /** What is remembered of changes, about; absent: 16 MB. */
  readonly historyBytes?: number;
  /** Where what is known outlives this process, for one that starts while the registry is away. */
  readonly lastKnown?: LastKnownFile;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * The caching layer between the registry and everybody who asks. Reads never leave the process; the
 * view follows the registry by one watch, heals by a background refresh, and outlives an outage.
 */
export class Catalog {
  /** Revisions of different epochs, that is of different processes, say nothing about each other. */
  readonly epoch = randomBytes(6).toString('hex');
  private readonly view = new View(() => this.clock.now());
  private readonly history: History;
  private readonly freshness: Freshness;
  private readonly reconciler: Reconciler;
  private readonly waiters: Waiters;
  private readonly upstream: Upstream;
  private readonly listeners = new Set<CatalogListener>();
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly lastKnown: LastKnownFile | undefined;
  private sweeping = Promise.resolve();
  private keeping = Promise.resolve();
  private remembering: Promise<void> | undefined;

  constructor(
    private readonly backend: RegistryBackend,
    options: CatalogOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger;
    this.lastKnown = options.lastKnown;
    this.freshness = new Freshness(() => this.clock.monotonic());
    const { massLoss, logger } = options;
    this.reconciler = new Reconciler(this.view, (change) => this.changed(change), {
      massLoss,
      logger,
      clock: this.clock,
    });
    this.waiters = new Waiters(options.maxWaiters);
    this.history = new History(options.historyBytes ?? HISTORY_BYTES);
    this.upstream = new Upstream(
      backend,
      {
        event: (event) => this.apply(event),
        reconciled: (snapshot) => {
          this.reconciler.reconcile(snapshot);
          this.freshness.read();
        },
        answered: () => this.freshen(() => this.freshness.answered()),
        silent: (error) => this.freshen(() => this.freshness.silent(error)),
      },
      {
        refreshEveryMs: options.refreshEveryMs,
        logger: options.logger,
        clock: this.clock,
        random: options.random ?? Math.random,
      },
    );
  }

  start(): void {
    this.upstream.start();
    this.sweeping = this.sweepUntilStopped();
    if (this.lastKnown) this.keeping = keepUntilStopped(this, this.lastKnown, this.clock, this.stopping.signal);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.waiters.close();
    await Promise.all([this.upstream.stop(), this.sweeping, this.keeping, this.remembering]);
  }

  // ——— reading

  get revision(): number {
    return this.view.revision;
  }

  get heldInstances(): number {
    return this.view.held;
  }

  get waiting(): number {
    return this.waiters.size;
  }

  /** The view is in step with the registry. */
  get live(): boolean {
    return this.freshness.live;
  }

  freshnessNow(): FreshnessReport {
    return this.freshness.report();
  }

  get(key: InstanceKey): CatalogEntry | undefined {
    return this.view.get(key);
  }

  byId(serviceId: string): readonly CatalogEntry[] {
    return this.view.byId(serviceId);
  }

  serviceNames(): readonly string[] {
    return this.view.names();
  }

  /** Sorted by id; the same array until the service changes. Undefined when there is no such service now. */
  instances(serviceName: string): readonly CatalogEntry[] | undefined {
    return this.view.entries(serviceName);
  }

  find(filter: InstanceFilter): ReadonlyMap<string, readonly CatalogEntry[]> {
    return this.view.find(filter);
  }

  all(): Iterable<CatalogEntry> {
    return this.view.all();
  }

  /** The revision at which this service, or without a name anything, last changed. */
  revisionOf(serviceName: string | undefined): number {
    return serviceName === undefined ? this.view.revision : this.view.serviceRevision(serviceName);
  }

  /** The changes of content after the revision, in order; undefined when some of them are no longer known. */
  changesAfter(revision: number): readonly ContentChange[] | undefined {
    return this.history.after(revision);
  }

  /** From this revision on, changes are known. */
  get rememberedSince(): number {
    return this.history.since;
  }

  /**
   * Resolves once this service (without a name: anything) has changed after the revision, or the
   * signal aborts. May resolve for a change that makes no difference to the caller; never misses one.
   * @throws BackendError `BUSY`
   */
  async changedAfter(revision: number, serviceName: string | undefined, signal: AbortSignal): Promise<void> {
    if (this.revisionOf(serviceName) > revision) return;
    await this.waiters.next(serviceName, signal);
  }

  /** Resolves once the whole view has reached the revision, or the signal aborts; whether it has. */
  async reached(revision: number, signal: AbortSignal): Promise<boolean> {
    const given = AbortSignal.any([signal, this.stopping.signal]);
    while (this.view.revision < revision && !given.aborted) await this.waiters.next(undefined, given);
    return this.view.revision >= revision;
  }

  /**
   * Resolves when the view has whatever was written before this call: after one full read of the registry,
   * unless nobody else writes to it. Rejects when the registry is away.
   */
  async refresh(): Promise<void> {
    if (this.backend.capabilities.replicas) await this.upstream.refresh();
  }

  // ——— changing

  /** Calls back for every change, in order, as it is applied. Returns the way to end that. */
  subscribe(listener: CatalogListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes what the registry tells; also what a writer of this process has just been told, so that it sees its own write. */
  apply(event: RegistryEvent): void {
    switch (event.kind) {
      case 'snapshot':
        this.reconciler.reconcile(event);
        this.freshen(() => this.freshness.followed());
        return;
      case 'upsert':
        this.reconciler.upsert(event.instance);
        return;
      case 'remove':
        this.reconciler.remove(event.key, event.version, event.cause, event.actor);
        return;
      case 'live':
        this.view.seen(event.asOf);
        this.freshen(() => this.freshness.followed());
        return;
      case 'stale':
        this.freshen(() => this.freshness.lost(event.error));
        return;
    }
  }

  /** What this process has seen of an instance and the registry need not know. */
  observe(key: InstanceKey, vitals: Vitals): void {
    this.reconciler.observe(key, vitals);
  }

  /** What a probe says of a held instance, which the registry no longer knows. */
  reassess(key: InstanceKey, probed: HealthStatus, actor: Actor): void {
    this.reconciler.reassess(key, probed, actor);
  }

  /** Lets a held instance go at somebody's word. False when it is not held. */
  release(key: InstanceKey, cause: RemovalCause, actor: Actor): boolean {
    return this.reconciler.release(key, cause, actor);
  }

  private async sweepUntilStopped(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.reconciler.sweep(this.live);
      await this.clock.sleep(HOLD_SWEEP_MS, signal);
    }
  }

  /** The registry is away, and nothing is known of it: what an earlier process knew is better than nothing. */
  private async remember(): Promise<void> {
    const known = await this.lastKnown?.load();
    const { source, reason } = this.freshness.report();
    if (source !== undefined) return;
    if (!known) {
      this.logger.warn({ reason }, 'the registry is away, and nothing is known of it yet');
      return;
    }
    this.reconciler.remember(known.instances);
    this.freshness.remembered(Math.max(0, this.clock.now() - known.at));
    const [instances, at] = [known.instances.length, new Date(known.at)];
    this.logger.warn({ reason, instances, at }, 'answers are of an earlier start');
  }

  private freshen(mark: () => void): void {
    const before = this.freshness.live;
    mark();
    const { source, reason } = this.freshness.report();
    if (source === undefined && reason !== undefined) this.remembering ??= this.remember();
    const { live } = this.freshness;
    if (live === before) return;
    if (live) this.logger.info({}, 'the view follows the registry');
    else this.logger.warn({ reason }, 'the registry is away: answers are the last known good');
    this.tell({ kind: 'freshness', live });
  }

  private changed(change: InstanceChange): void {
    if (change.kind !== 'vitals') this.history.record(change);
    this.tell(change);
    if (change.kind !== 'vitals') this.waiters.wake(change.instance.serviceName);
  }

  private tell(change: CatalogChange): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (error) {
        this.logger.error({ err: error }, 'a listener of the catalog failed');
      }
    }
  }
}
