import { randomUUID } from 'node:crypto';
import {
  asBackendError,
  BackendError,
  checkVersion,
  keyOf,
  keyText,
  notFound,
  recordOf,
  registered,
  renewed,
  updated,
  vitalsOf,
  Watches,
  type BackendCapabilities,
  type BackendContext,
  type ConfigEntry,
  type Heartbeat,
  type InstanceKey,
  type InstanceRecord,
  type InstanceUpdate,
  type Registered,
  type Registrar,
  type Registration,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
  type Removal,
  type Renewal,
  type ServiceInstance,
  type WriteOptions,
} from '#core';
import { Committer } from './committer.js';
import { MemoryConfigStore } from './config-store.js';
import type { Store, StoredInstance, StoredState } from './store.js';

/** How often leases are looked at: an instance goes at most this long after its lease. */
const SWEEP_MS = 250;
/** A sweep that comes later than this finds that the whole process stood still. */
const STALL_MS = 1_000;

interface Held {
  instance: ServiceInstance;
  /** Of the lease, on the monotonic clock: a wall clock that jumps ends nobody. */
  deadline: number;
  /** The heartbeat that the disk knows of. */
  storedHeartbeat: number;
}

/** Where it is kept on disk. */
export interface Stores {
  readonly instances: Store<StoredInstance>;
  readonly configuration: Store<ConfigEntry>;
}

/** The registry in this process: everything is a map, and durable where there is a store. */
export class MemoryBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities;
  readonly registrar: Registrar = this.makeRegistrar();
  readonly configStore: MemoryConfigStore;
  private readonly instances = new Map<string, Held>();
  private readonly watches = new Watches(() => this.snapshot());
  private readonly store: Store<StoredInstance> | undefined;
  private readonly committer: Committer<StoredInstance> | undefined;
  private incarnation: string = randomUUID();
  private lastVersion = 0;
  private sweeper: NodeJS.Timeout | undefined;
  private lastSweep = 0;
  private stopped = false;

  constructor(
    private readonly context: BackendContext,
    stores?: Stores,
  ) {
    this.store = stores?.instances;
    this.configStore = new MemoryConfigStore(stores?.configuration, context.logger);
    this.capabilities = {
      type: 'memory',
      register: 'native',
      leases: 'native',
      maintenance: 'native',
      removalCauses: 'native',
      configuration: 'native',
      durable: stores !== undefined,
      replicas: false,
      notes: stores ? [] : ['Everything is lost when the process ends: set DATA_DIR to keep it.'],
    };
    if (!this.store) return;
    this.committer = new Committer(
      this.store,
      (key) => this.stored(key),
      () => this.lastVersion,
      context.logger,
    );
  }

  async start(): Promise<void> {
    if (this.store) this.restore(await this.store.open());
    await this.configStore.open();
    this.lastSweep = performance.now();
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.sweeper);
    this.watches.end();
    await this.committer?.close();
    await this.store?.close();
    await this.configStore.close();
  }

  async ping(signal: AbortSignal): Promise<void> {
    this.admit(signal);
  }

  async list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    this.admit(signal);
    return this.snapshot();
  }

  trouble(): string | undefined {
    return this.committer?.failing || this.configStore.failing
      ? 'the data directory takes no writes: the log says why'
      : undefined;
  }

  watch(signal: AbortSignal): AsyncIterable<RegistryEvent> {
    return this.watches.watch(signal);
  }

  private makeRegistrar(): Registrar {
    return {
      register: (registration, options) => this.register(registration, options),
      renew: (key, heartbeat, options) => this.renew(key, heartbeat, options),
      update: (key, update, options) => this.update(key, update, options),
      deregister: (key, options) => this.deregister(key, options),
    };
  }

  private async register(registration: Registration, options: WriteOptions): Promise<Registered> {
    this.admitWrite(options);
    const previous = this.instances.get(keyText(registration))?.instance;
    checkVersion(registration, previous?.version, options);
    const now = this.context.now();
    const record = registered(previous && recordOf(previous), registration, options.actor, now);
    const instance = this.put(record, { ...previous?.vitals, lastHeartbeat: now }, true);
    await this.committer?.commit(keyText(registration), options.signal);
    return { instance, created: previous === undefined };
  }

  private async renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal> {
    const previous = this.find(key, options);
    const now = this.context.now();
    const vitals = { ...previous.vitals, ...vitalsOf(heartbeat, now) };
    const instance = this.put(renewed(recordOf(previous), heartbeat, options.actor, now), vitals, true);
    const changed = instance.version !== previous.version;
    // A retry of what has failed changes nothing any more, and is no truer for it.
    if (changed || this.committer?.owes(keyText(key))) await this.committer?.commit(keyText(key), options.signal);
    else this.storeHeartbeat(key);
    return { key: keyOf(key), version: instance.version, vitals, instance };
  }

  private async update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance> {
    const previous = this.find(key, options);
    const record = updated(recordOf(previous), update, options.actor, this.context.now());
    const instance = this.put(record, previous.vitals, false);
    await this.committer?.commit(keyText(key), options.signal);
    return instance;
  }

  private async deregister(
    key: InstanceKey,
    options: WriteOptions & { cause: 'deregistered' | 'evicted' },
  ): Promise<Removal> {
    const { cause, actor } = options;
    const text = keyText(key);
    this.admitWrite(options);
    // Who asks again after an unknown outcome takes NOT_FOUND for success: it must be on disk.
    if (!this.instances.has(text) && this.committer?.owes(text)) await this.committer.commit(text, options.signal);
    const removal = this.remove(this.find(key, options), cause, actor);
    await this.committer?.commit(text, options.signal);
    return removal;
  }

  /** Refuses what cannot be done any more, before anything has happened. */
  private admit(signal: AbortSignal | undefined): void {
    if (this.stopped) throw new BackendError('UNAVAILABLE', 'the registry has stopped');
    if (signal?.aborted) throw asBackendError(signal.reason);
  }

  private admitWrite({ signal }: WriteOptions): void {
    this.admit(signal);
    if (this.committer?.full) throw new BackendError('BUSY', 'the disk does not keep up with what waits for it');
  }

  private find(key: InstanceKey, options: WriteOptions): ServiceInstance {
    this.admitWrite(options);
    const instance = this.instances.get(keyText(key))?.instance;
    if (!instance) throw notFound(key);
    checkVersion(key, instance.version, options);
    return instance;
  }

  private put(record: InstanceRecord, vitals: ServiceInstance['vitals'], leaseBegins: boolean): ServiceInstance {
    const key = keyText(record);
    const previous = this.instances.get(key);
    const same = previous && previous.instance.changed === record.changed;
    const version = same ? previous.instance.version : String(++this.lastVersion);
    const instance = { version, vitals, ...record };
    this.instances.set(key, {
      instance,
      deadline: leaseBegins || !previous ? performance.now() + (record.ttl ?? Infinity) : previous.deadline,
      storedHeartbeat: previous?.storedHeartbeat ?? 0,
    });
    if (!same || leaseBegins) this.watches.tell({ kind: 'upsert', instance });
    return instance;
  }

  private remove(instance: ServiceInstance, cause: 'deregistered' | 'evicted' | 'expired', actor: string): Removal {
    const removal = { key: keyOf(instance), version: String(++this.lastVersion) };
    this.instances.delete(keyText(instance));
    this.watches.tell({ kind: 'remove', ...removal, cause, actor });
    return removal;
  }

  private sweep(): void {
    const now = performance.now();
    const late = now - this.lastSweep - SWEEP_MS;
    this.lastSweep = now;
    // Frozen, we heard no heartbeat either: nobody loses that time.
    if (late > STALL_MS) for (const held of this.instances.values()) held.deadline += late;
    for (const { instance, deadline } of this.instances.values()) {
      if (deadline > now) continue;
      this.remove(instance, 'expired', 'registry');
      this.committer?.change(keyText(instance));
    }
  }

  private snapshot(): RegistrySnapshot {
    return {
      instances: [...this.instances.values()].map(({ instance }) => instance),
      asOf: String(this.lastVersion),
      incarnation: this.incarnation,
    };
  }

  private stored(key: string): StoredInstance | undefined {
    const held = this.instances.get(key);
    if (!held) return undefined;
    const { version, vitals } = held.instance;
    held.storedHeartbeat = vitals.lastHeartbeat ?? held.instance.registeredAt;
    return { record: recordOf(held.instance), version, lastHeartbeat: held.storedHeartbeat };
  }

  /** A heartbeat that changes nothing reaches the disk once in a third of the lease: a restart needs no more. */
  private storeHeartbeat(key: InstanceKey): void {
    const { instance, storedHeartbeat } = this.instances.get(keyText(key))!;
    const due = instance.ttl !== undefined && this.context.now() - storedHeartbeat >= instance.ttl / 3;
    if (due) this.committer?.touch(keyText(key));
  }

  /** What was left of each lease, and never less than the grace: nobody could renew while we were away. */
  private restore(state: StoredState<StoredInstance>): void {
    this.incarnation = state.incarnation;
    this.lastVersion = state.lastVersion;
    const now = this.context.now();
    for (const { record, version, lastHeartbeat } of state.values.values()) {
      const ttl = record.ttl ?? Infinity;
      const left = Math.min(ttl, Math.max(lastHeartbeat + ttl - now, this.context.graceMs));
      this.instances.set(keyText(record), {
        instance: { ...record, version, vitals: { lastHeartbeat } },
        deadline: performance.now() + left,
        storedHeartbeat: lastHeartbeat,
      });
    }
  }
}
