import type { InstanceKey, InstanceRecord, ServiceInstance, Vitals } from './instance.js';
import type { Actor } from './lifecycle.js';
import type { HealthStatus, InstanceStatus } from './status.js';
import type { Version } from './version.js';

/** What is declared of an instance, checked and with every default filled in. */
export interface Registration extends Omit<
  InstanceRecord,
  'reported' | 'probed' | 'maintenance' | 'registeredAt' | 'changed' | 'tagsOverridden' | 'unknownFields'
> {
  /** Absent: `passing`, or what it was when the same thing registers again. */
  readonly status?: InstanceStatus;
}

export interface Registered {
  readonly instance: ServiceInstance;
  /** False when an instance of this key was there already. */
  readonly created: boolean;
}

export interface Heartbeat {
  readonly status?: HealthStatus;
  readonly loadPercentage?: number;
  readonly activeConnections?: number;
  readonly metadata?: Readonly<Record<string, string | null>>;
}

export interface Renewal {
  readonly key: InstanceKey;
  /** The newest that this backend knows of. */
  readonly version: Version;
  readonly vitals: Vitals;
  /** When the heartbeat has changed content, or the backend has the instance at hand: renewing alone reads nothing. */
  readonly instance?: ServiceInstance;
}

export type InstanceUpdate =
  | {
      readonly kind: 'patch';
      readonly tags?: readonly string[];
      readonly metadata?: Readonly<Record<string, string | null>>;
      /** null: no weight of its own any more. */
      readonly weight?: number | null;
    }
  | { readonly kind: 'maintenance'; readonly maintenance?: { readonly reason: string } }
  | { readonly kind: 'probe'; readonly status: HealthStatus };

export interface Removal {
  readonly key: InstanceKey;
  /** Newer than every state of the instance that this ends. */
  readonly version: Version;
}

export interface WriteOptions {
  /** Stored with the change. */
  readonly actor: Actor;
  /** Only if this instance of ours is still at this version, else CONFLICT: a former owner's late word loses. */
  readonly ifVersion?: Version;
  /** Gives the write up; it may have happened (OUTCOME_UNKNOWN) unless it had not begun. */
  readonly signal?: AbortSignal;
}

/**
 * Writes to a registry. Each is atomic for its instance, and resolves once it will survive the
 * registry's own idea of a restart. Errors are `BackendError`s; a write that changes no content
 * keeps the version. A race that is lost without `ifVersion` is run again, and ends in BUSY at last.
 *
 * - `register`: upsert; starts or renews the lease; CONFLICT (`ifVersion`, of an instance that is
 *   not there too).
 * - `renew`: starts the lease anew. NOT_FOUND at once when the instance was removed through this
 *   backend, otherwise at the latest when this backend's watch has shown that it is gone; it stays gone.
 * - `update`: changes part of a record; NOT_FOUND, CONFLICT (`ifVersion`); never touches the lease.
 * - `deregister`: removes, and stores or tells the cause with the removal; NOT_FOUND, CONFLICT.
 */
export interface Registrar {
  register(registration: Registration, options: WriteOptions): Promise<Registered>;
  renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal>;
  update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance>;
  deregister(
    key: InstanceKey,
    options: WriteOptions & { readonly cause: 'deregistered' | 'evicted' },
  ): Promise<Removal>;
}
