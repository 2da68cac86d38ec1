import {
  BackendError,
  compareVersions,
  keyText,
  Watches,
  type Actor,
  type InstanceKey,
  type Logger,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
  type Version,
} from '#core';
import type { Position } from './client.js';
import type { LeaseId, Stored } from './layout.js';

const NOTHING: Version = '0';
export const REGISTRY: Actor = 'registry';

/** An instance as this process knows it. */
export interface Known {
  readonly key: InstanceKey;
  readonly version: Version;
  readonly lease: LeaseId;
  readonly instance: ServiceInstance;
  /** When the lease ends if nobody has renewed it past us; on the monotonic clock. */
  deadline: number;
}

/**
 * What there is, as told by the watch and by our own writes, which may be ahead of it: of each instance the
 * newest state that anybody has told stands.
 */
export class View {
  readonly watches = new Watches(() => this.snapshot());
  private readonly instances = new Map<string, Known>();
  /** What we have removed and the watch has not told yet. */
  private readonly removed = new Map<string, Version>();
  /** Everything up to here is in the view. */
  private asOf = NOTHING;
  private cluster = '';
  private era = 0;

  constructor(private readonly logger: Logger) {}

  /** The revision up to which everything has been told. */
  get revision(): Version {
    return this.asOf;
  }

  get incarnation(): string {
    return `${this.cluster}.${this.era}`;
  }

  get(key: InstanceKey): Known | undefined {
    return this.instances.get(keyText(key));
  }

  all(): Iterable<Known> {
    return this.instances.values();
  }

  /** Whether this is a later state of what the view has been made from. */
  continues({ cluster, revision }: Position): boolean {
    return cluster === this.cluster && compareVersions(revision, this.asOf) >= 0;
  }

  /** All that there is, as of this revision; own writes that are newer stand. */
  load(stored: readonly Stored[], position: Position): void {
    if (!this.continues(position) || stored.some((each) => this.goesBack(each, position))) this.begin(position.cluster);
    this.watches.resync();
    for (const [text, { version }] of this.instances) {
      if (compareVersions(version, position.revision) <= 0) this.instances.delete(text);
    }
    this.asOf = NOTHING;
    for (const each of stored) this.put(each);
    this.reached(position.revision);
  }

  /** Whether a state at this version would be news. */
  isNews(key: InstanceKey, version: Version): boolean {
    return !this.isOld(keyText(key), version);
  }

  /** A state that the watch has told, or a write of ours has made. */
  put(stored: Stored): void {
    const { key, version, lease, instance } = stored;
    const text = keyText(key);
    if (this.isOld(text, version)) return;
    if (instance instanceof BackendError) {
      this.logger.warn({ key: text, reason: instance.message }, 'a record in etcd is left out');
      this.remove(key, version, 'unknown', REGISTRY);
      return;
    }
    const known = this.instances.get(text);
    const deadline = known?.lease === lease ? known.deadline : performance.now() + (instance.ttl ?? Infinity);
    this.removed.delete(text);
    this.instances.set(text, { key, version, lease, instance, deadline });
    this.watches.tell({ kind: 'upsert', instance });
  }

  remove(key: InstanceKey, version: Version, cause: RemovalCause, actor: Actor): void {
    const text = keyText(key);
    if (this.isOld(text, version)) return;
    this.removed.set(text, version);
    if (this.instances.delete(text)) this.watches.tell({ kind: 'remove', key, version, cause, actor });
  }

  /** The watch has told everything up to here. */
  reached(revision: Version): void {
    this.asOf = revision;
    for (const [text, version] of this.removed) {
      if (compareVersions(version, revision) <= 0) this.removed.delete(text);
    }
  }

  private isOld(text: string, version: Version): boolean {
    const newest = this.instances.get(text)?.version ?? this.removed.get(text) ?? this.asOf;
    return compareVersions(version, newest) <= 0;
  }

  /** An older state of what was newer: a backup was restored, and has overtaken us since. */
  private goesBack({ key, version }: Stored, { revision }: Position): boolean {
    const known = this.get(key);
    return (
      known !== undefined &&
      compareVersions(version, known.version) < 0 &&
      compareVersions(known.version, revision) <= 0
    );
  }

  private begin(cluster: string): void {
    this.cluster = cluster;
    this.era++;
    this.instances.clear();
    this.removed.clear();
  }

  private snapshot(): RegistrySnapshot {
    const instances = [...this.instances.values()].map(({ instance }) => instance);
    return { instances, asOf: this.asOf, incarnation: this.incarnation };
  }
}
