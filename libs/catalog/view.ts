import {
  compareVersions,
  keyText,
  matches,
  NO_FILTER,
  sameContent,
  type InstanceFilter,
  type InstanceKey,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';
import { Departed } from './departed.js';
import { Indexes } from './indexes.js';

/** What is remembered of instances and services that have gone. */
const DEPARTED = 50_000;

export interface Hold {
  /** The version of the loss: what is older does not end the hold. */
  readonly version: Version;
  /** On the monotonic clock, milliseconds. */
  readonly until: number;
}

/** An instance as the catalog shows it. */
export interface CatalogEntry {
  readonly instance: ServiceInstance;
  /** Lost with too many others to be believed; shown until the hold ends. */
  readonly hold?: Hold;
}

interface OwnInstance extends ServiceInstance {
  /** Of our own copy: vitals move in place, so whoever holds the instance sees them move. */
  vitals: Vitals;
}

interface OwnEntry extends CatalogEntry {
  instance: OwnInstance;
  hold?: Hold;
}

interface ServiceState {
  revision: number;
  readonly entries: Map<string, OwnEntry>;
  sorted: readonly CatalogEntry[] | undefined;
}

export type Applied = 'changed' | 'vitals' | 'ignored';

/** Everything that is known, by service and in indexes, with the revision at which each service last changed. */
export class View {
  revision = 0;
  private readonly services = new Map<string, ServiceState>();
  private readonly indexes = new Indexes<OwnEntry>();
  private readonly removedAt = new Departed<Version>(DEPARTED, (a, b) => compareVersions(a, b) > 0);
  private readonly departedServices = new Departed<number>(DEPARTED, (a, b) => a > b);
  private sortedNames: readonly string[] | undefined;

  get(key: InstanceKey): CatalogEntry | undefined {
    return this.own(key);
  }

  /** Sorted. */
  names(): readonly string[] {
    return (this.sortedNames ??= [...this.services.keys()].sort());
  }

  /** Sorted by id; the same array until the service changes. Undefined when there is no such service. */
  entries(serviceName: string): readonly CatalogEntry[] | undefined {
    const service = this.services.get(serviceName);
    if (!service) return undefined;
    return (service.sorted ??= [...service.entries.values()].sort(byId));
  }

  byId(serviceId: string): readonly CatalogEntry[] {
    return this.indexes.byId(serviceId);
  }

  /** What the filter lets through, by service, sorted by name and id. Services that keep none are left out. */
  find(filter: InstanceFilter): ReadonlyMap<string, readonly CatalogEntry[]> {
    const narrowed = filter === NO_FILTER ? undefined : this.indexes.narrow(filter);
    if (narrowed) return group([...narrowed].filter(({ instance }) => matches(instance, filter)));
    const found = new Map<string, readonly CatalogEntry[]>();
    for (const name of this.names()) {
      const all = this.entries(name)!;
      const kept = filter === NO_FILTER ? all : all.filter(({ instance }) => matches(instance, filter));
      if (kept.length > 0) found.set(name, kept);
    }
    return found;
  }

  /** At which revision this service last changed, came or went. */
  serviceRevision(serviceName: string): number {
    return this.services.get(serviceName)?.revision ?? this.departedServices.atLeast(serviceName) ?? 0;
  }

  count(serviceName: string, predicate: (entry: CatalogEntry) => boolean): number {
    let count = 0;
    for (const entry of this.services.get(serviceName)?.entries.values() ?? []) if (predicate(entry)) count++;
    return count;
  }

  all(): Iterable<CatalogEntry> {
    return this.entriesOfAll();
  }

  /**
   * Takes a state of an instance unless a newer one, or its end, is known. A snapshot says up to
   * which version it has seen everything; its word stands against whatever is not newer than that.
   */
  upsert(instance: ServiceInstance, seenUpTo?: Version): Applied {
    const known = this.own(instance);
    const newest = known?.hold?.version ?? known?.instance.version ?? this.removedAt.get(keyText(instance));
    const order = newest === undefined ? 1 : compareVersions(instance.version, newest);
    const present = known !== undefined && !known.hold;
    if (order < 0 || (order === 0 && !present)) {
      if (seenUpTo === undefined || compareVersions(seenUpTo, newest!) < 0) return 'ignored';
    } else if (order === 0 && known && sameState(known.instance, instance)) {
      known.instance.vitals = { ...known.instance.vitals, ...instance.vitals };
      return 'vitals';
    }
    this.put({ instance: { ...instance, vitals: { ...known?.instance.vitals, ...instance.vitals } } });
    return 'changed';
  }

  /** Ends an instance unless something newer is known of it. */
  remove(key: InstanceKey, version: Version): CatalogEntry | undefined {
    const known = this.get(key);
    if (known && !known.hold && compareVersions(known.instance.version, version) > 0) return undefined;
    this.markRemoved(key, version);
    if (!known) return undefined;
    this.drop(key);
    return known;
  }

  /** Shows an instance that was lost, or goes on showing it. */
  hold(instance: ServiceInstance, hold: Hold): void {
    this.put({ instance: { ...instance }, hold });
  }

  /** What we see of a held instance, which its registry no longer lists. */
  reassess(key: InstanceKey, probed: ServiceInstance['probed']): boolean {
    const known = this.get(key);
    if (!known?.hold || known.instance.probed === probed) return false;
    this.put({ instance: { ...known.instance, probed }, hold: known.hold });
    return true;
  }

  observe(key: InstanceKey, vitals: Vitals): ServiceInstance | undefined {
    const known = this.own(key);
    if (known) known.instance.vitals = { ...known.instance.vitals, ...vitals };
    return known?.instance;
  }

  /** The registry counts anew: no version that is known says anything about what comes. */
  forgetVersions(): void {
    this.removedAt.clear();
    for (const entry of this.entriesOfAll()) {
      entry.instance = { ...entry.instance, version: OLDEST };
      if (entry.hold) entry.hold = { ...entry.hold, version: OLDEST };
    }
  }

  private *entriesOfAll(): Iterable<OwnEntry> {
    for (const { entries } of this.services.values()) yield* entries.values();
  }

  private own(key: InstanceKey): OwnEntry | undefined {
    return this.services.get(key.serviceName)?.entries.get(key.serviceId);
  }

  private put(entry: OwnEntry): void {
    const { serviceName, serviceId } = entry.instance;
    let service = this.services.get(serviceName);
    if (!service) {
      service = { revision: 0, entries: new Map(), sorted: undefined };
      this.services.set(serviceName, service);
      this.departedServices.delete(serviceName);
      this.sortedNames = undefined;
    }
    const previous = service.entries.get(serviceId);
    if (previous) this.indexes.delete(previous);
    service.entries.set(serviceId, entry);
    this.indexes.add(entry);
    this.removedAt.delete(keyText(entry.instance));
    this.touch(service);
  }

  private drop({ serviceName, serviceId }: InstanceKey): void {
    const service = this.services.get(serviceName)!;
    this.indexes.delete(service.entries.get(serviceId)!);
    service.entries.delete(serviceId);
    this.touch(service);
    if (service.entries.size > 0) return;
    this.services.delete(serviceName);
    this.departedServices.set(serviceName, service.revision);
    this.sortedNames = undefined;
  }

  private markRemoved(key: InstanceKey, version: Version): void {
    const known = this.removedAt.get(keyText(key));
    if (known === undefined || compareVersions(version, known) > 0) this.removedAt.set(keyText(key), version);
  }

  private touch(service: ServiceState): void {
    service.revision = ++this.revision;
    service.sorted = undefined;
  }
}

/** Sorts before every version that a registry gives. */
const OLDEST: Version = '';

/** One version has one content; should a registry disagree with itself, its latest word stands. */
function sameState(a: ServiceInstance, b: ServiceInstance): boolean {
  return a.changed === b.changed || sameContent(contentOf(a), contentOf(b));
}

function contentOf(instance: ServiceInstance): Omit<ServiceInstance, 'version' | 'vitals'> {
  const { version: _version, vitals: _vitals, ...content } = instance;
  return content;
}

function byId(a: CatalogEntry, b: CatalogEntry): number {
  return a.instance.serviceId < b.instance.serviceId ? -1 : 1;
}

function group(entries: readonly CatalogEntry[]): ReadonlyMap<string, readonly CatalogEntry[]> {
  const groups = new Map<string, CatalogEntry[]>();
  for (const entry of [...entries].sort(byId)) {
    const { serviceName } = entry.instance;
    const members = groups.get(serviceName);
    if (members) members.push(entry);
    else groups.set(serviceName, [entry]);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}
