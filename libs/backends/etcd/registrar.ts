import {
  abortable,
  asBackendError,
  BackendError,
  checkVersion,
  keyOf,
  keyText,
  notFound,
  recordOf,
  registered,
  renewed,
  Turns,
  updated,
  vitalsOf,
  type ErrorCode,
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
  type Version,
  type Vitals,
  type WriteOptions,
} from '#core';
import type { Connection } from './connection.js';
import { encode, NO_LEASE, type Layout, type LeaseId, type Stored } from './layout.js';
import { LeaseOfWrite, type Leases } from './leases.js';
import type { Change, Outcome, Transactions } from './transactions.js';
import type { Known, View } from './view.js';

/** Races that may be lost for one write. */
const MOST_ATTEMPTS = 30;
/** The version of what is not there. */
const NOTHING: Version = '0';
/** What a decision comes to, and not what keeps it from being made. */
const VERDICTS = new Set<ErrorCode>(['INVALID', 'NOT_FOUND', 'CONFLICT']);

/** What a write makes of what it has found: something to store, or nothing; and what it answers then. */
interface Step<T> {
  readonly to?: Change['to'];
  readonly result: (version: Version) => T;
}

type Decision<T> = (found: Stored | undefined) => Promise<Step<T>>;

export interface RegistrarParts {
  readonly connection: Connection;
  readonly view: View;
  readonly layout: Layout;
  readonly transactions: Transactions;
  readonly leases: Leases;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A record that can be read, and what it lies under. */
type Found = Stored & { readonly instance: ServiceInstance };

/**
 * Writes begin with what the view knows, on the condition that it is still so; a write that was wrong about
 * that is begun anew with what etcd has. So most take one round trip, and none believes what is old.
 */
export class EtcdRegistrar implements Registrar {
  private readonly turns = new Turns();

  constructor(private readonly parts: RegistrarParts) {}

  async register(registration: Registration, options: WriteOptions): Promise<Registered> {
    const leaseOf = new LeaseOfWrite(this.parts.leases);
    return this.change(registration, options, async (stored) => {
      const found = stored && readable(stored);
      checkVersion(registration, found?.version, options);
      const now = this.parts.now();
      const previous = found && recordOf(found.instance);
      const record = registered(previous, registration, options.actor, now);
      const lease = await leaseOf.choose(found, previous?.ttl, record.ttl);
      const done = (instance: ServiceInstance) => {
        leaseOf.settle(lease, found?.lease);
        return { instance: { ...instance, vitals: { lastHeartbeat: now } }, created: !found };
      };
      return found && record === previous && lease === found.lease
        ? { result: () => done(found.instance) }
        : this.storing(record, lease, found, done);
    });
  }

  async renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal> {
    const vitals = vitalsOf(heartbeat, this.parts.now());
    const known = this.parts.view.get(key);
    const bare = heartbeat.status === undefined && heartbeat.metadata === undefined && options.ifVersion === undefined;
    if (known && bare && (await this.lives(known, options))) return renewal(known.instance, vitals);
    const leaseOf = new LeaseOfWrite(this.parts.leases);
    return this.change(key, options, async (stored) => {
      const found = readable(stored ?? absent(key));
      checkVersion(key, found.version, options);
      const previous = recordOf(found.instance);
      const record = renewed(previous, heartbeat, options.actor, this.parts.now());
      const lease = await leaseOf.choose(found, previous.ttl, record.ttl);
      const done = (instance: ServiceInstance) => {
        leaseOf.settle(lease, found.lease);
        return renewal(instance, vitals);
      };
      return record === previous && lease === found.lease
        ? { result: () => done(found.instance) }
        : this.storing(record, lease, found, done);
    });
  }

  async update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance> {
    return this.change(key, options, async (stored) => {
      const found = readable(stored ?? absent(key));
      checkVersion(key, found.version, options);
      const previous = recordOf(found.instance);
      const record = updated(previous, update, options.actor, this.parts.now());
      if (record === previous) return { result: () => found.instance };
      return this.storing(record, found.lease, found, (instance) => instance);
    });
  }

  async deregister(
    key: InstanceKey,
    options: WriteOptions & { readonly cause: 'deregistered' | 'evicted' },
  ): Promise<Removal> {
    const { cause, actor } = options;
    return this.change(key, options, async (stored) => {
      const { version, lease } = stored ?? absent(key);
      checkVersion(key, version, options);
      return {
        to: { cause, actor },
        result: (removed) => {
          this.parts.view.remove(keyOf(key), removed, cause, actor);
          this.parts.leases.release(lease);
          return { key: keyOf(key), version: removed };
        },
      };
    });
  }

  /** Whether a heartbeat that says nothing has found its instance, as far as we know of it. */
  private async lives({ key, lease, instance }: Known, { signal }: WriteOptions): Promise<boolean> {
    // Not everybody has one who wants one: somebody may have written past us.
    if (lease === NO_LEASE) {
      this.parts.connection.check();
      return instance.ttl === undefined;
    }
    try {
      return await abortable(this.parts.leases.renew(key, lease), signal);
    } catch (error) {
      throw asBackendError(error, 'OUTCOME_UNKNOWN');
    }
  }

  private storing<T>(
    record: InstanceRecord,
    lease: LeaseId,
    found: Stored | undefined,
    result: (instance: ServiceInstance) => T,
  ): Step<T> {
    return {
      to: { value: encode(record), ...(lease !== found?.lease && { lease }) },
      result: (version) => {
        const instance = { ...record, version, vitals: {} };
        this.parts.view.put({ key: keyOf(record), version, lease, instance });
        return result(instance);
      },
    };
  }

  private async change<T>(key: InstanceKey, { signal }: WriteOptions, decide: Decision<T>): Promise<T> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    const write = { sent: false };
    const commit = async (change: Change): Promise<Outcome> => {
      signal?.throwIfAborted();
      write.sent = true;
      const outcome = await this.parts.transactions.commit(change, signal);
      write.sent = outcome.done;
      return outcome;
    };
    try {
      return await abortable(
        this.turns.take(keyText(key), () => this.untilDone(keyOf(key), decide, commit), signal),
        signal,
      );
    } catch (error) {
      throw asBackendError(error, write.sent ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE');
    }
  }

  private async untilDone<T>(
    key: InstanceKey,
    decide: Decision<T>,
    commit: (change: Change) => Promise<Outcome>,
  ): Promise<T> {
    let found: Stored | undefined = this.parts.view.get(key);
    let certain = false;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const step = await decide(found).catch((error: unknown) => {
        // What is old may refuse what is not to be refused.
        if (certain || !isVerdict(error)) throw error;
      });
      if (step?.to) {
        const outcome = await commit({ key, ifVersion: found?.version ?? NOTHING, to: step.to });
        if (outcome.done) return step.result(outcome.version);
        ({ found } = outcome);
      } else if (step && certain) {
        return step.result(NOTHING);
      } else {
        found = await this.read(key);
      }
      certain = true;
    }
    throw new BackendError('BUSY', `too many change ${keyText(key)} at once`);
  }

  private async read(key: InstanceKey): Promise<Stored | undefined> {
    const kv = await this.parts.connection.client.get(this.parts.layout.pathOf(key));
    return kv && this.parts.layout.stored(kv);
  }
}

function renewal(instance: ServiceInstance, vitals: Vitals): Renewal {
  return { key: keyOf(instance), version: instance.version, vitals, instance: { ...instance, vitals } };
}

function readable(stored: Stored): Found {
  if (stored.instance instanceof BackendError) throw stored.instance;
  return stored as Found;
}

/** The end of a decision that needs something to be there. */
function absent(key: InstanceKey): never {
  throw notFound(key);
}

function isVerdict(error: unknown): boolean {
  return error instanceof BackendError && VERDICTS.has(error.code);
}
