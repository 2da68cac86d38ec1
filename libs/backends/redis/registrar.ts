import {
  BackendError,
  checkVersion,
  conflict,
  keyOf,
  keyText,
  notFound,
  registered,
  renewed,
  updated,
  vitalsOf,
  type Heartbeat,
  type InstanceKey,
  type InstanceRecord,
  type InstanceUpdate,
  type Registered,
  type Registrar,
  type Registration,
  type Removal,
  type Renewal,
  type ServiceInstance,
  type WriteOptions,
} from '#core';
import type { Registry } from './registry.js';
import type { StoredRecord } from './stored.js';

/** How often a write is tried against faster ones. */
const ATTEMPTS = 100;

/** Writes by compare-and-set: what becomes of a record is decided here, and stored if it is still what was read. */
export class RedisRegistrar implements Registrar {
  constructor(
    private readonly registry: Registry,
    private readonly now: () => number,
  ) {}

  async register(registration: Registration, options: WriteOptions): Promise<Registered> {
    const { actor, signal } = options;
    const key = keyText(registration);
    const beat = this.now();
    const vitals = { lastHeartbeat: beat };
    // Most are new: without a condition nothing is read first.
    let current = options.ifVersion === undefined ? undefined : await this.registry.get(key, signal);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      checkVersion(registration, current?.version, options);
      const record = registered(current?.record, registration, actor, beat);
      if (current && record === current.record) {
        const { version } = current;
        const renewal = await this.registry.renew(key, {}, { beat, ifVersion: version, wanted: false, signal });
        if (typeof renewal === 'object') return { instance: { ...record, version, vitals }, created: false };
        current = await this.registry.get(key, signal);
        continue;
      }
      const put = await this.registry.put(key, current?.version, record, beat, signal);
      if ('version' in put) return { instance: { ...record, version: put.version, vitals }, created: !current };
      current = put.current;
    }
    throw tooManyRaces(key);
  }

  async renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal> {
    const { actor, ifVersion, signal } = options;
    const beat = this.now();
    const wanted = heartbeat.status !== undefined || heartbeat.metadata !== undefined;
    const renewal = await this.registry.renew(keyText(key), heartbeat, { beat, ifVersion, wanted, signal });
    if (renewal === undefined) throw notFound(key);
    if (renewal === 'conflict') throw conflict(key, ifVersion!);
    const vitals = vitalsOf(heartbeat, beat);
    if (!renewal.stored) return { key: keyOf(key), version: renewal.version, vitals };
    const change = (record: InstanceRecord) => renewed(record, heartbeat, actor, beat);
    const { record, version } = await this.change(key, renewal.stored, change, options);
    return { key: keyOf(key), version, vitals, instance: { ...record, version, vitals } };
  }

  async update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance> {
    const current = await this.registry.get(keyText(key), options.signal);
    const change = (record: InstanceRecord) => updated(record, update, options.actor, this.now());
    const { record, version } = await this.change(key, current, change, options);
    return { ...record, version, vitals: {} };
  }

  async deregister(
    key: InstanceKey,
    { actor, cause, ifVersion, signal }: WriteOptions & { cause: 'deregistered' | 'evicted' },
  ): Promise<Removal> {
    const removal = await this.registry.remove(keyText(key), ifVersion, cause, actor, signal);
    if (removal === undefined) throw notFound(key);
    if (removal === 'conflict') throw conflict(key, ifVersion!);
    return { key: keyOf(key), version: removal.version };
  }

  /** Without touching the lease. A change that changes nothing is not stored. */
  private async change(
    key: InstanceKey,
    current: StoredRecord | undefined,
    change: (record: InstanceRecord) => InstanceRecord,
    options: WriteOptions,
  ): Promise<StoredRecord> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (!current) throw notFound(key);
      checkVersion(key, current.version, options);
      const record = change(current.record);
      if (record === current.record) return current;
      const put = await this.registry.put(keyText(key), current.version, record, undefined, options.signal);
      if ('version' in put) return { record, version: put.version };
      current = put.current;
    }
    throw tooManyRaces(keyText(key));
  }
}

function tooManyRaces(key: string): BackendError {
  return new BackendError('BUSY', `${key} is changed by too many at once`);
}
