import {
  keyOf,
  keyText,
  sameValue,
  type Actor,
  type HealthStatus,
  type InstanceKey,
  type LifecycleEvent,
  type Logger,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';
import type { CatalogChange, ContentChange } from './changes.js';
import type { Clock } from './clock.js';
import { MassLossDetector, type Loss, type MassLossRules } from './mass-loss.js';
import type { CatalogEntry, View } from './view.js';

const REGISTRY: Actor = 'registry';
/** Equals no incarnation of a registry. */
const REMEMBERED = '';

export type InstanceChange = Exclude<CatalogChange, { kind: 'freshness' }>;

export interface ReconcilerOptions {
  readonly massLoss: MassLossRules;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Makes the view say what the registry says, tells what that changes, and holds what it cannot believe is lost. */
export class Reconciler {
  private readonly massLoss: MassLossDetector;
  private incarnation: string | undefined;

  constructor(
    private readonly view: View,
    private readonly tell: (change: InstanceChange) => void,
    private readonly options: ReconcilerOptions,
  ) {
    this.massLoss = new MassLossDetector(options.massLoss);
  }

  upsert(instance: ServiceInstance, asOf?: Version, first = false): void {
    const before = this.view.get(instance);
    const applied = this.view.upsert(instance, asOf);
    if (applied === 'ignored') return;
    const { instance: own } = this.view.get(instance)!;
    if (applied === 'vitals') {
      this.tell({ kind: 'vitals', instance: own });
      return;
    }
    this.massLoss.forget(own);
    const event = first ? undefined : this.newsOf(own, before);
    this.tellUpsert({ instance: own, before: before?.instance, held: false, event });
  }

  /** What has happened to an instance, if it is more than a new version of the same. */
  private newsOf(instance: ServiceInstance, before: CatalogEntry | undefined): LifecycleEvent | undefined {
    const { cause, actor, at } = instance.changed;
    if (!sameValue(before?.instance.changed, instance.changed)) return { key: keyOf(instance), cause, actor, at };
    return before?.hold && this.event(instance, 'released', REGISTRY, 'the registry lists it again');
  }

  remove(key: InstanceKey, version: Version, cause: RemovalCause, actor: Actor = REGISTRY): void {
    const known = this.view.get(key);
    const asked = cause === 'deregistered' || cause === 'evicted';
    if (!asked && known && !known.hold) {
      this.lose([{ instance: known.instance, cause, at: this.options.clock.monotonic() }], version);
      return;
    }
    if (!asked) {
      this.view.markGone(key, version);
      return;
    }
    this.massLoss.forget(key);
    const removed = this.view.remove(key, version);
    if (removed) this.tellRemove(removed.instance, this.event(key, cause, actor));
  }

  /**
   * Instances of one service went by this version, and nobody asked for it: they go, unless too many of
   * them do. What is known to be newer has not gone.
   */
  private lose(losses: readonly Loss[], version: Version): void {
    const gone = new Map<Loss, number>();
    for (const loss of losses) if (this.view.remove(loss.instance, version)) gone.set(loss, this.view.revision);
    const [first] = gone.keys();
    if (!first) return;
    const { serviceName } = first.instance;
    const left = this.view.census(serviceName);
    const toHold = new Set(this.massLoss.judge(serviceName, [...gone.keys()], left));
    for (const [loss, revision] of gone) {
      const { instance, cause } = loss;
      if (!toHold.has(loss)) this.tellRemove(instance, this.event(instance, cause, REGISTRY), revision);
    }
    if (toHold.size === 0) return;
    this.options.logger.warn(
      { service: serviceName, held: left.held + toHold.size, remaining: left.present },
      'too many instances lost at once: they are held',
    );
    for (const loss of toHold) {
      const { instance, at } = loss;
      this.view.hold(instance, { until: at + this.options.massLoss.holdMs });
      const { instance: own } = this.view.get(instance)!;
      // Of those that go now, nobody has heard that they went.
      const before = gone.has(loss) ? instance : undefined;
      this.tellUpsert({ instance: own, before, held: true, event: this.event(own, 'held', REGISTRY) });
    }
  }

  /** Takes everything there is, and treats what is missing as lost. */
  reconcile(snapshot: RegistrySnapshot): void {
    const { instances, asOf, incarnation } = snapshot;
    const first = this.incarnation === undefined;
    if (!first && incarnation !== this.incarnation) this.view.forgetVersions();
    this.incarnation = incarnation;
    // What has come first: a service that was replaced in a gap has not lost everything.
    for (const instance of instances) this.upsert(instance, asOf, first);
    for (const losses of this.missing(snapshot)) this.lose(losses, asOf);
    this.view.seen(asOf);
  }

  /** Takes what an earlier process knew: no news, and nothing against whatever the registry will say. */
  remember(instances: readonly ServiceInstance[]): void {
    this.incarnation = REMEMBERED;
    for (const instance of instances) this.upsert(instance, undefined, true);
  }

  /** By service, what the snapshot lacks; what is newer than the snapshot is among it. */
  private missing({ instances }: RegistrySnapshot): Iterable<readonly Loss[]> {
    const present = new Set(instances.map(keyText));
    const missing = new Map<string, Loss[]>();
    for (const { instance, hold } of this.view.all()) {
      if (hold || present.has(keyText(instance))) continue;
      const losses = missing.get(instance.serviceName) ?? [];
      missing.set(instance.serviceName, losses);
      losses.push({ instance, cause: 'unknown', at: this.options.clock.monotonic() });
    }
    return missing.values();
  }

  /** What this process has seen of an instance and the registry need not know. */
  observe(key: InstanceKey, vitals: Vitals): void {
    const instance = this.view.observe(key, vitals);
    if (instance) this.tell({ kind: 'vitals', instance });
  }

  /** What a probe says of a held instance, which the registry no longer knows. */
  reassess(key: InstanceKey, probed: HealthStatus, actor: Actor): void {
    const before = this.view.get(key)?.instance;
    if (!this.view.reassess(key, probed)) return;
    const { instance } = this.view.get(key)!;
    this.tellUpsert({ instance, before, held: true, event: this.event(instance, 'status', actor, probed) });
  }

  /** Lets a held instance go at somebody's word. False when it is not held. */
  release(key: InstanceKey, cause: RemovalCause, actor: Actor): boolean {
    const entry = this.view.get(key);
    if (!entry?.hold) return false;
    this.end(entry, cause, actor);
    return true;
  }

  /** @param live While the registry is away nothing ends: it may be about to say that they are all well. */
  sweep(live: boolean): void {
    const now = this.options.clock.monotonic();
    this.massLoss.sweep(now);
    if (this.view.held === 0 || !live) return;
    for (const entry of [...this.view.all()])
      if (entry.hold && entry.hold.until <= now) this.end(entry, 'unknown', REGISTRY);
  }

  private end({ instance }: CatalogEntry, cause: RemovalCause, actor: Actor): void {
    this.view.remove(instance, instance.version);
    const released = cause === 'unknown' ? 'released' : cause;
    this.tellRemove(instance, this.event(instance, released, actor));
  }

  private tellUpsert(change: Omit<Extract<ContentChange, { kind: 'upsert' }>, 'kind' | 'revision'>): void {
    this.tell({ kind: 'upsert', revision: this.view.revision, ...change });
  }

  private tellRemove(instance: ServiceInstance, event: LifecycleEvent, revision = this.view.revision): void {
    this.tell({ kind: 'remove', revision, instance, event });
  }

  private event(key: InstanceKey, cause: LifecycleEvent['cause'], actor: Actor, detail?: string): LifecycleEvent {
    return { key: keyOf(key), cause, actor, at: this.options.clock.now(), ...(detail !== undefined && { detail }) };
  }
}
