import { randomBytes } from 'node:crypto';
import {
  BackendError,
  keyOf,
  keyText,
  sameValue,
  type Actor,
  type HealthStatus,
  type InstanceFilter,
  type InstanceKey,
  type LifecycleEvent,
  type Logger,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';
import type { CatalogChange, CatalogListener } from './changes.js';
import { systemClock, type Clock } from './clock.js';
import { Freshness, type FreshnessReport } from './freshness.js';
import type { LastKnownFile } from './last-known.js';
import { MassLossDetector, type Loss, type MassLossRules } from './mass-loss.js';
import { Upstream } from './upstream.js';
import { View, type CatalogEntry } from './view.js';
import { Waiters } from './waiters.js';

const HOLD_SWEEP_MS = 500;
const KEEP_EVERY_MS = 10_000;
/** Equals no incarnation of a registry. */
const REMEMBERED = '';
const REGISTRY: Actor = 'registry';

export interface CatalogOptions {
  readonly refreshEveryMs: number;
  readonly massLoss: MassLossRules;
  /** How many callers may wait for a change at once. */
  readonly maxWaiters: number;
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
  private readonly view = new View();
  private readonly freshness: Freshness;
  private readonly massLoss: MassLossDetector;
  private readonly waiters: Waiters;
  private readonly upstream: Upstream;
  private readonly listeners = new Set<CatalogListener>();
  private readonly holdMs: number;
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly lastKnown: LastKnownFile | undefined;
  private sweeping = Promise.resolve();
  private keeping = Promise.resolve();
  private remembering: Promise<void> | undefined;
  private keptRevision: number | undefined;
  private incarnation: string | undefined;

  constructor(backend: RegistryBackend, options: CatalogOptions) {
    this.clock = options.clock ?? systemClock;
    this.logger = options.logger;
    this.holdMs = options.massLoss.holdMs;
    this.lastKnown = options.lastKnown;
    this.freshness = new Freshness(() => this.clock.monotonic());
    this.massLoss = new MassLossDetector(options.massLoss);
    this.waiters = new Waiters(options.maxWaiters);
    this.upstream = new Upstream(
      backend,
      {
        event: (event) => this.apply(event),
        reconciled: (snapshot) => {
          this.reconcile(snapshot);
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
    this.keeping = this.keepUntilStopped();
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

  /** One full read of the registry, begun after this call. Rejects when the registry is away. */
  refresh(): Promise<void> {
    return this.upstream.refresh();
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
        this.reconcile(event);
        this.freshen(() => this.freshness.followed());
        return;
      case 'upsert':
        this.upsert(event.instance);
        return;
      case 'remove':
        this.remove(event.key, event.version, event.cause, event.actor ?? REGISTRY);
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
    const instance = this.view.observe(key, vitals);
    if (instance) this.tell({ kind: 'vitals', instance });
  }

  /** What a probe says of a held instance, which the registry no longer knows. */
  reassess(key: InstanceKey, probed: HealthStatus, actor: Actor): void {
    if (!this.view.reassess(key, probed)) return;
    const { instance } = this.view.get(key)!;
    this.changed({ kind: 'upsert', instance, held: true, event: this.event(instance, 'status', actor, probed) });
  }

  /** Lets a held instance go at somebody's word. False when it is not held. */
  release(key: InstanceKey, cause: RemovalCause, actor: Actor): boolean {
    const entry = this.view.get(key);
    if (!entry?.hold) return false;
    this.end(entry, cause, actor);
    return true;
  }

  private upsert(instance: ServiceInstance, asOf?: Version, first = false): void {
    const before = this.view.get(instance);
    const applied = this.view.upsert(instance, asOf);
    if (applied === 'ignored') return;
    const { instance: own } = this.view.get(instance)!;
    if (applied === 'vitals') {
      this.tell({ kind: 'vitals', instance: own });
      return;
    }
    this.massLoss.forget(own);
    this.changed({ kind: 'upsert', instance: own, held: false, event: first ? undefined : this.newsOf(own, before) });
  }

  /** What has happened to an instance, if it is more than a new version of the same. */
  private newsOf(instance: ServiceInstance, before: CatalogEntry | undefined): LifecycleEvent | undefined {
    const { cause, actor, at } = instance.changed;
    if (!sameValue(before?.instance.changed, instance.changed)) return { key: keyOf(instance), cause, actor, at };
    return before?.hold && this.event(instance, 'released', REGISTRY, 'the registry lists it again');
  }

  private remove(key: InstanceKey, version: Version, cause: RemovalCause, actor: Actor): void {
    const known = this.view.get(key);
    const asked = cause === 'deregistered' || cause === 'evicted';
    if (!asked && known && !known.hold) {
      this.lose([{ instance: known.instance, cause, at: this.clock.monotonic() }], version);
      return;
    }
    if (!asked) {
      this.view.markGone(key, version);
      return;
    }
    this.massLoss.forget(key);
    const removed = this.view.remove(key, version);
    if (removed) this.changed({ kind: 'remove', instance: removed.instance, event: this.event(key, cause, actor) });
  }

  /**
   * Instances of one service went by this version, and nobody asked for it: they go, unless too many of
   * them do. What is known to be newer has not gone.
   */
  private lose(losses: readonly Loss[], version: Version): void {
    const gone = losses.filter(({ instance }) => this.view.remove(instance, version));
    if (gone.length === 0) return;
    const { serviceName } = gone[0]!.instance;
    const left = this.view.census(serviceName);
    const toHold = new Set(this.massLoss.judge(serviceName, gone, left));
    for (const loss of gone) {
      const { instance, cause } = loss;
      if (!toHold.has(loss)) this.changed({ kind: 'remove', instance, event: this.event(instance, cause, REGISTRY) });
    }
    if (toHold.size === 0) return;
    this.logger.warn(
      { service: serviceName, held: left.held + toHold.size, remaining: left.present },
      'too many instances lost at once: they are held',
    );
    for (const { instance, at } of toHold) {
      this.view.hold(instance, { until: at + this.holdMs });
      const { instance: own } = this.view.get(instance)!;
      this.changed({ kind: 'upsert', instance: own, held: true, event: this.event(own, 'held', REGISTRY) });
    }
  }

  /** Makes the view say what the registry says, and treats what is missing as lost. */
  private reconcile(snapshot: RegistrySnapshot): void {
    const { instances, asOf, incarnation } = snapshot;
    const first = this.incarnation === undefined;
    if (!first && incarnation !== this.incarnation) this.view.forgetVersions();
    this.incarnation = incarnation;
    // What has come first: a service that was replaced in a gap has not lost everything.
    for (const instance of instances) this.upsert(instance, asOf, first);
    for (const losses of this.missing(snapshot)) this.lose(losses, asOf);
    this.view.seen(asOf);
  }

  /** By service, what the snapshot lacks; what is newer than the snapshot is among it. */
  private missing({ instances }: RegistrySnapshot): Iterable<readonly Loss[]> {
    const present = new Set(instances.map(keyText));
    const missing = new Map<string, Loss[]>();
    for (const { instance, hold } of this.view.all()) {
      if (hold || present.has(keyText(instance))) continue;
      const losses = missing.get(instance.serviceName) ?? [];
      missing.set(instance.serviceName, losses);
      losses.push({ instance, cause: 'unknown', at: this.clock.monotonic() });
    }
    return missing.values();
  }

  private async sweepUntilStopped(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.sweep();
      await this.clock.sleep(HOLD_SWEEP_MS, signal);
    }
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    this.massLoss.sweep(now);
    // Nothing ends while the registry is away: it may be about to say that they are all well.
    if (this.view.held === 0 || !this.freshness.live) return;
    for (const entry of [...this.view.all()])
      if (entry.hold && entry.hold.until <= now) this.end(entry, 'unknown', REGISTRY);
  }

  private end({ instance }: CatalogEntry, cause: RemovalCause, actor: Actor): void {
    this.view.remove(instance, instance.version);
    const released = cause === 'unknown' ? 'released' : cause;
    this.changed({ kind: 'remove', instance, event: this.event(instance, released, actor) });
  }

  /** The registry is away, and nothing is known of it: what an earlier process knew is better than nothing. */
  private async remember(): Promise<void> {
    const known = await this.lastKnown?.load();
    if (!known || this.freshness.report().source !== undefined) return;
    this.incarnation = REMEMBERED;
    for (const instance of known.instances) this.upsert(instance, undefined, true);
    this.freshness.remembered(Math.max(0, this.clock.now() - known.at));
    this.logger.warn({ instances: known.instances.length, at: new Date(known.at) }, 'answers are of an earlier start');
  }

  private async keepUntilStopped(): Promise<void> {
    if (!this.lastKnown) return;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.clock.sleep(KEEP_EVERY_MS, signal);
      if (this.freshness.live) await this.keep(this.lastKnown);
    }
  }

  private async keep(file: LastKnownFile): Promise<void> {
    const { revision } = this.view;
    const at = this.clock.now();
    if (revision === this.keptRevision) await file.confirm(at);
    else if (await file.save(Array.from(this.view.all(), ({ instance }) => instance))) this.keptRevision = revision;
  }

  private freshen(mark: () => void): void {
    const before = this.freshness.live;
    mark();
    if (this.freshness.report().source === undefined) this.remembering ??= this.remember();
    const { live } = this.freshness;
    if (live === before) return;
    const { reason } = this.freshness.report();
    if (live) this.logger.info({}, 'the view follows the registry');
    else this.logger.warn({ reason }, 'the registry is away: answers are the last known good');
    this.tell({ kind: 'freshness', live });
  }

  private event(key: InstanceKey, cause: LifecycleEvent['cause'], actor: Actor, detail?: string): LifecycleEvent {
    return { key: keyOf(key), cause, actor, at: this.clock.now(), ...(detail !== undefined && { detail }) };
  }

  private changed(change: Exclude<CatalogChange, { kind: 'freshness' }>): void {
    this.tell(change);
    this.waiters.wake(change.instance.serviceName);
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

/** The view cannot answer yet. */
export function notReady(reason: string | undefined): BackendError {
  return new BackendError('UNAVAILABLE', `nothing is known of the registry yet${reason ? `: ${reason}` : ''}`);
}
