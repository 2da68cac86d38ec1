import {
  keyOf,
  type InstanceKey,
  type InstanceRecord,
  type Logger,
  type RegistryChange,
  type ServiceInstance,
} from '#core';
import type { Layout } from './layout.js';
import { decodeBeat, decodeState, type Beat, type State } from './stored.js';
import type { KvEntry } from './types.js';

/** What is known of one of our own instances, there or removed. Times are of the monotonic clock. */
export interface Known {
  readonly key: InstanceKey;
  /** Where Consul's index stood when this was stored. */
  readonly index: number;
  readonly state: State;
  /** When it was seen here first. */
  readonly since: number;
  /** The latest heartbeat, and at which index it was stored; 0 while none is known. */
  readonly beat?: Beat;
  readonly beatIndex: number;
  /** When that heartbeat was stored, if this process was there. */
  readonly beatSeen: number;
  /** When a later heartbeat was heard here that is not stored yet. */
  readonly held?: number;
  /** Of its lease. */
  deadline: number;
}

/** As it is stored at this index. */
interface At<T> {
  readonly index: number;
  readonly value: T;
}

/** Consul shows less than it has shown before: its state was lost or put back. */
export class Rewound extends Error {}

/** Our own instances as this process has last seen them, and the news of them. */
export class View {
  private services = new Map<string, Map<string, Known>>();
  private highest = 0;

  constructor(
    private readonly layout: Layout,
    private readonly tell: (change: RegistryChange) => void,
    private readonly logger: Logger,
  ) {}

  /** The index of the latest change that is known. */
  get latest(): number {
    return this.highest;
  }

  get({ serviceName, serviceId }: InstanceKey): Known | undefined {
    return this.services.get(serviceName)?.get(serviceId);
  }

  *all(): Iterable<Known> {
    for (const service of this.services.values()) yield* service.values();
  }

  serviceNames(): Iterable<string> {
    return this.services.keys();
  }

  of(serviceName: string): Iterable<Known> {
    return this.services.get(serviceName)?.values() ?? [];
  }

  instances(): ServiceInstance[] {
    return [...this.all()].flatMap((known) => instanceOf(known) ?? []);
  }

  /** Indexes begin anew: nothing that is known compares with what comes. */
  forget(): void {
    this.services = new Map();
    this.highest = 0;
  }

  /** What a write has just stored, or a read has found. What is older than what is known says nothing. */
  take(key: InstanceKey, state: At<() => State>, beat?: At<Beat>): void {
    const before = this.get(key);
    if (before && state.index < before.index) return;
    const changed = state.index !== before?.index;
    if (!changed && !beat) return;
    const now = performance.now();
    const there = before?.state.kind === 'record' ? before : undefined;
    this.set({
      ...NO_HEARTBEAT,
      ...there,
      ...(beat && { beat: beat.value, beatIndex: beat.index, beatSeen: now, held: undefined }),
      key: keyOf(key),
      index: state.index,
      state: changed ? state.value() : before.state,
      since: changed ? now : before.since,
    });
    const known = this.get(key)!;
    if (beat || !there) known.deadline = deadlineOf(known);
    this.highest = Math.max(this.highest, known.index);
    this.announce(known, there !== undefined);
  }

  /** A heartbeat that a read has found. */
  beat(key: InstanceKey, { index, value }: At<() => Beat>): void {
    const known = this.get(key);
    if (known?.state.kind !== 'record' || index <= known.beatIndex) return;
    const stored = { ...known, beatIndex: index, beatSeen: known.beatIndex > 0 ? performance.now() : -Infinity };
    this.set(stored);
    if (known.held !== undefined) return;
    const beaten = { ...stored, beat: value() };
    this.set({ ...beaten, deadline: deadlineOf(beaten) });
    this.announce(beaten, true);
  }

  /** A heartbeat that only we know of yet. */
  hear(known: Known, beat: Beat): Known {
    const heard = { ...known, beat, held: performance.now() };
    heard.deadline = deadlineOf(heard);
    this.set(heard);
    return heard;
  }

  /** Nobody could renew for so long. */
  prolong(ms: number): void {
    for (const known of this.all()) known.deadline += ms;
  }

  /**
   * Everything that a read found, of all services or of one.
   * @param asOf The highest index that was seen before the read began: what is not newer is found.
   * @throws Rewound
   */
  reconcile(entries: readonly KvEntry[], asOf: number, serviceName?: string): void {
    const found = new Set<Known>();
    for (const { Key, Value, ModifyIndex } of entries) {
      const key = this.layout.keyOf(this.layout.instances, Key);
      if (!key) continue;
      const before = this.get(key);
      if (before && ModifyIndex < before.index && before.index <= asOf)
        throw new Rewound('a record is older than it was');
      this.take(key, { index: ModifyIndex, value: () => decodeState(key, Value) });
      found.add(this.get(key)!);
    }
    const known = serviceName === undefined ? this.all() : this.of(serviceName);
    for (const each of [...known]) if (!found.has(each)) this.lose(each.key, asOf);
  }

  /** All heartbeats that a read found. */
  beats(entries: readonly KvEntry[]): void {
    for (const { Key, Value, ModifyIndex } of entries) {
      const key = this.layout.keyOf(this.layout.heartbeats, Key);
      if (key) this.beat(key, { index: ModifyIndex, value: () => decodeBeat(Value) });
    }
  }

  /** A read that began when this index had been seen has not found it: somebody else has deleted it. */
  lose(key: InstanceKey, asOf: number): void {
    const known = this.get(key);
    if (!known || known.index > asOf) return;
    this.drop(key);
    const version = String(Math.max(asOf, known.index + 1));
    if (known.state.kind === 'record') this.tell({ kind: 'remove', key: known.key, version, cause: 'unknown' });
  }

  /** Nothing is stored of it any more. */
  drop({ serviceName, serviceId }: InstanceKey): void {
    const service = this.services.get(serviceName);
    service?.delete(serviceId);
    if (service?.size === 0) this.services.delete(serviceName);
  }

  private set(known: Known): void {
    const { serviceName, serviceId } = known.key;
    const service = this.services.get(serviceName) ?? new Map<string, Known>();
    this.services.set(serviceName, service.set(serviceId, known));
  }

  private announce(known: Known, wasThere: boolean): void {
    const { key, state } = known;
    const instance = instanceOf(known);
    if (instance) this.tell({ kind: 'upsert', instance });
    if (state.kind === 'unreadable') {
      this.logger.warn({ ...key, reason: state.error.message }, 'a record cannot be read: it is left out');
    }
    if (instance || !wasThere) return;
    const why = state.kind === 'removed' ? state.grave : { cause: 'unknown' as const };
    this.tell({ kind: 'remove', key, version: String(known.index), ...why });
  }
}

const NO_HEARTBEAT = { beatIndex: 0, beatSeen: -Infinity, deadline: 0 };

export function recordIn(known: Known | undefined): InstanceRecord | undefined {
  return known?.state.kind === 'record' ? known.state.record : undefined;
}

export function instanceOf(known: Known): ServiceInstance | undefined {
  const record = recordIn(known);
  return record && { ...record, version: String(known.index), vitals: known.beat?.vitals ?? {} };
}

/** Of a lease that begins now. */
function deadlineOf(known: Known): number {
  return performance.now() + (recordIn(known)?.ttl ?? Infinity) - (known.beat?.age ?? 0);
}
