import {
  asBackendError,
  BackendError,
  decodeRecord,
  encodeRecord,
  keyText,
  REMOVAL_CAUSES,
  type InstanceKey,
  type InstanceRecord,
  type RemovalCause,
  type ServiceInstance,
  type Version,
} from '#core';
import { hashedName, isLabelValue, MANAGER } from './names.js';
import { LEASES, versionOf, type Lease } from './objects.js';

/** The form of a removal. */
const REMOVAL_FORMAT = 1;

export interface Removed {
  readonly cause: RemovalCause;
  readonly actor: string;
}

/**
 * An instance as a Lease of its own. Its record is in an annotation; `renewTime` is its last heartbeat, written
 * at most every third of its TTL. The version of the instance is the `resourceVersion` of the Lease when its
 * content was written: a heartbeat that moves the one on keeps the other in an annotation. A Lease with a removal
 * is what is left of an instance that has gone, until somebody deletes it.
 */
export class LeaseForm {
  readonly selector: string;
  private readonly record: string;
  private readonly version: string;
  private readonly age: string;
  private readonly removal: string;
  private readonly service: string;

  constructor(
    private readonly prefix: string,
    private readonly namespace: string,
  ) {
    this.selector = `${MANAGER}=${prefix}`;
    this.record = `${prefix}/record`;
    this.version = `${prefix}/version`;
    this.age = `${prefix}/heartbeat-age-ms`;
    this.removal = `${prefix}/removal`;
    this.service = `${prefix}/service`;
  }

  nameOf(key: InstanceKey): string {
    return hashedName(this.prefix, key);
  }

  /** The Lease after a change of content; `beat`: with a heartbeat, which begins the lease anew. */
  changed(previous: Lease | undefined, record: InstanceRecord, beat: Date | undefined): Lease {
    const { [this.version]: _v, [this.removal]: _r, [this.age]: age, ...kept } = previous?.metadata.annotations ?? {};
    const annotations = {
      ...kept,
      ...(!beat && age !== undefined && { [this.age]: age }),
      [this.record]: JSON.stringify(encodeRecord(record)),
    };
    return {
      ...this.frame(previous, record),
      spec: {
        holderIdentity: keyText(record),
        acquireTime: microTime(new Date(record.registeredAt)),
        ...(record.ttl !== undefined && { leaseDurationSeconds: Math.ceil(record.ttl / 1_000) }),
        renewTime: beat ? microTime(beat) : previous?.spec.renewTime,
      },
      metadata: { ...this.frame(previous, record).metadata, annotations },
    };
  }

  /** The Lease after a heartbeat that changes nothing else. @param ageMs How long ago it came. */
  renewed(lease: Lease, beat: Date, ageMs: number): Lease {
    const annotations = {
      ...lease.metadata.annotations,
      [this.version]: this.versionOf(lease),
      [this.age]: String(Math.round(ageMs)),
    };
    return {
      ...typed(lease),
      metadata: { ...lease.metadata, annotations },
      spec: { ...lease.spec, renewTime: microTime(beat) },
    };
  }

  removed(lease: Lease, removed: Removed): Lease {
    const { [this.version]: _, ...kept } = lease.metadata.annotations ?? {};
    const annotations = { ...kept, [this.removal]: JSON.stringify({ v: REMOVAL_FORMAT, ...removed }) };
    return { ...typed(lease), metadata: { ...lease.metadata, annotations } };
  }

  /** Of what the Lease says now. */
  versionOf(lease: Lease): Version {
    return lease.metadata.annotations?.[this.version] ?? versionOf(lease);
  }

  removalOf(lease: Lease): Removed | undefined {
    const text = lease.metadata.annotations?.[this.removal];
    if (text === undefined) return undefined;
    const { cause, actor } = parse(text) as Partial<Removed>;
    const known = REMOVAL_CAUSES.find((each) => each === cause) ?? 'unknown';
    return { cause: known, actor: typeof actor === 'string' ? actor : 'unknown' };
  }

  /** The instance; or why what is stored cannot be read. */
  instanceOf(lease: Lease): ServiceInstance | BackendError {
    try {
      const record = decodeRecord(parse(lease.metadata.annotations?.[this.record] ?? ''));
      if (this.nameOf(record) !== lease.metadata.name) throw new Error(`is the record of ${keyText(record)}`);
      const { renewTime } = lease.spec;
      const vitals = renewTime === undefined ? {} : { lastHeartbeat: Date.parse(renewTime) };
      return { ...record, version: this.versionOf(lease), vitals };
    } catch (error) {
      const reason = asBackendError(error).message;
      return new BackendError('CONFLICT', `what is stored cannot be read: ${reason}`, { cause: error });
    }
  }

  /** Milliseconds between the heartbeat and its being written. */
  ageOf(lease: Lease): number {
    const age = Number(lease.metadata.annotations?.[this.age] ?? 0);
    return age >= 0 ? age : 0;
  }

  private frame(previous: Lease | undefined, record: InstanceRecord): Omit<Lease, 'spec'> {
    const { serviceName } = record;
    const name = this.nameOf(record);
    const labels = {
      ...previous?.metadata.labels,
      [MANAGER]: this.prefix,
      ...(isLabelValue(serviceName) && { [this.service]: serviceName }),
    };
    return typed({ metadata: { ...previous?.metadata, name, namespace: this.namespace, labels } });
  }
}

function typed<T extends object>(object: T): T {
  return { apiVersion: LEASES.apiVersion, kind: LEASES.kind, ...object };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** RFC 3339 with microseconds, as Leases have it. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
