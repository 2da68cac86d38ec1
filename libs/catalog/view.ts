import {
  compareVersions,
  keyText,
  matches,
  NO_FILTER,
  recordOf,
  sameContent,
  sameValue,
  type InstanceFilter,
  type InstanceKey,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';
import { Departed } from './departed.js';
import { Indexes } from './indexes.js';
import type { Census } from './mass-loss.js';
import { latest } from './vitals.js';

/** What is remembered of instances and services that have gone. */
const DEPARTED = 50_000;

export interface Hold {
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
  held: number;
  sorted: readonly CatalogEntry[] | undefined;
}

export type Applied = 'changed' | 'vitals' | 'ignored';

/** Everything that is known, by service and in indexes, with the revision at which each service last changed. */
export class View {
  revision = 0;
  held = 0;
  private readonly services = new Map<string, ServiceState>();
  private readonly indexes = new Indexes<OwnEntry>();
  private readonly removedAt = new Departed<Version>(DEPARTED, (a, b) => compareVersions(a, b) > 0);
  /** Everything up to here has been seen: what is absent and not newer has gone. */
  private seenUpTo: Version | undefined;
  private readonly departedServices = new Departed<number>(DEPARTED, (a, b) => a > b);
  private sortedNames: readonly string[] | undefined;

  /** @param now Milliseconds since the epoch. */
  constructor(private readonly now: () => number) {}

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

  census(serviceName: string): Census {
    const service = this.services.get(serviceName);
    return service ? { present: service.entries.size - service.held, held: service.held } : NOBODY;
  }

  all(): Iterable<CatalogEntry> {
    return this.entriesOfAll();
  }

  /**
   * Takes a state of an instance unless a newer one, or its end, is known. A snapshot says up to
   * which version it has seen everything; its word stands against whatever is not newer than that.
   */
  upsert(instance: ServiceInstance, asOf?: Version): Applied {
    const known = this.own(instance);
    const present = known !== undefined && !known.hold;
    const newest = present ? known.instance.version : this.goneAt(instance);
    const order = newest === undefined ? 1 : compareVersions(instance.version, newest);
    if (order === 0 && present && sameState(known.instance, instance))
      return this.refreshVitals(known, instance.vitals);
    const overtaken = order < 0 || (order === 0 && !present);
    if (overtaken && (asOf === undefined || compareVersions(asOf, newest!) < 0)) return 'ignored';
    this.removedAt.delete(keyText(instance));
    this.put({ instance: { ...instance, vitals: latest(known?.instance.vitals, instance.vitals, this.now()) } });
    return 'changed';
  }

  /** Ends an instance unless something newer is known of it. */
  remove(key: InstanceKey, version: Version): CatalogEntry | undefined {
    const known = this.own(key);
    if (known && !known.hold && compareVersions(known.instance.version, version) > 0) return undefined;
    this.markGone(key, version);
    if (known) this.drop(key);
    return known;
  }

  /** Shows an instance again that has been removed. */
  hold(instance: ServiceInstance, hold: Hold): void {
    this.put({ instance: { ...instance }, hold });
  }

  /** Only what is newer than this brings the instance back. */
  markGone(key: InstanceKey, version: Version): void {
    const known = this.removedAt.get(keyText(key));
    if (known === undefined || compareVersions(version, known) > 0) this.removedAt.set(keyText(key), version);
  }

  /** Everything up to this version has been told. */
  seen(asOf: Version): void {
    if (this.seenUpTo === undefined || compareVersions(asOf, this.seenUpTo) > 0) this.seenUpTo = asOf;
  }

  /** What we see of a held instance, which its registry no longer lists. */
  reassess(key: InstanceKey, probed: ServiceInstance['probed']): boolean {
    const known = this.get(key);
    if (!known?.hold || known.instance.probed === probed) return false;
    this.put({ instance: { ...known.instance, probed }, hold: known.hold });
    return true;
  }

  /** What this process has seen, and the registry has not. */
  observe(key: InstanceKey, vitals: Vitals): ServiceInstance | undefined {
    const known = this.own(key);
    if (known) known.instance.vitals = latest(known.instance.vitals, vitals, this.now());
    return known?.instance;
  }

  /** The registry counts anew: no version that is known says anything about what comes. */
  forgetVersions(): void {
    this.removedAt.clear();
    this.seenUpTo = undefined;
    for (const entry of this.entriesOfAll()) entry.instance = { ...entry.instance, version: OLDEST };
  }

  private *entriesOfAll(): Iterable<OwnEntry> {
    for (const { entries } of this.services.values()) yield* entries.values();
  }

  private own(key: InstanceKey): OwnEntry | undefined {
    return this.services.get(key.serviceName)?.entries.get(key.serviceId);
  }

  /** What an absent or held instance must be newer than. */
  private goneAt(key: InstanceKey): Version | undefined {
    const removed = this.removedAt.get(keyText(key));
    if (removed === undefined || this.seenUpTo === undefined) return removed ?? this.seenUpTo;
    return compareVersions(removed, this.seenUpTo) > 0 ? removed : this.seenUpTo;
  }

  private refreshVitals(entry: OwnEntry, told: Vitals): Applied {
    const vitals = latest(entry.instance.vitals, told, this.now());
    if (sameValue(vitals, entry.instance.vitals)) return 'ignored';
    entry.instance.vitals = vitals;
    return 'vitals';
  }

  private put(entry: OwnEntry): void {
    const { serviceName, serviceId } = entry.instance;
    let service = this.services.get(serviceName);
    if (!service) {
      service = { revision: 0, entries: new Map(), held: 0, sorted: undefined };
      this.services.set(serviceName, service);
      this.departedServices.delete(serviceName);
      this.sortedNames = undefined;
    }
    const previous = service.entries.get(serviceId);
    if (previous) this.take(service, previous);
    service.entries.set(serviceId, entry);
    this.indexes.add(entry);
    this.countHeld(service, entry, 1);
    this.touch(service);
  }

  private drop({ serviceName, serviceId }: InstanceKey): void {
    const service = this.services.get(serviceName)!;
    this.take(service, service.entries.get(serviceId)!);
    this.touch(service);
    if (service.entries.size > 0) return;
    this.services.delete(serviceName);
    this.departedServices.set(serviceName, service.revision);
    this.sortedNames = undefined;
  }

  private take(service: ServiceState, entry: OwnEntry): void {
    this.indexes.delete(entry);
    service.entries.delete(entry.instance.serviceId);
    this.countHeld(service, entry, -1);
  }

  private countHeld(service: ServiceState, entry: OwnEntry, by: 1 | -1): void {
    if (!entry.hold) return;
    service.held += by;
    this.held += by;
  }

  private touch(service: ServiceState): void {
    service.revision = ++this.revision;
    service.sorted = undefined;
  }
}

/** Sorts before every version that a registry gives. */
const OLDEST: Version = '';
const NOBODY: Census = { present: 0, held: 0 };

/** One version has one content; should a registry disagree with itself, its latest word stands. */
function sameState(a: ServiceInstance, b: ServiceInstance): boolean {
  return a.changed === b.changed || sameContent(recordOf(a), recordOf(b));
}

function byId(a: CatalogEntry, b: CatalogEntry): number {
  const left = a.instance.serviceId;
  const right = b.instance.serviceId;
  return left < right ? -1 : left > right ? 1 : 0;
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
