import {
  asBackendError,
  BackendError,
  decodeRecord,
  encodeRecord,
  keyText,
  type InstanceKey,
  type InstanceRecord,
  type ServiceInstance,
  type Version,
} from '#core';
import type { IKeyValue } from 'etcd3';

/** A lease's id: a decimal; `0` is none. */
export type LeaseId = string;
export const NO_LEASE: LeaseId = '0';

/** What lies under an instance's key. */
export interface Stored {
  readonly key: InstanceKey;
  /** etcd's mod revision. */
  readonly version: Version;
  readonly lease: LeaseId;
  /** Or why it cannot be read. */
  readonly instance: ServiceInstance | BackendError;
}

/**
 * Where things lie: `PREFIX/instances/SERVICE/ID`, a JSON value each. `PREFIX/instances/@removal` is
 * overwritten by each of our transactions that remove, with why and by whom; a watch sees it together with
 * the removals, at their revision. No instance can have that key: it has one part where theirs have two.
 */
export class Layout {
  /** Of all that a watch must see. */
  readonly range: { readonly key: Buffer; readonly range_end: Buffer };
  readonly note: Buffer;
  private readonly root: string;

  constructor(prefix: string) {
    this.root = `${prefix}instances/`;
    // '0' follows '/'.
    this.range = { key: Buffer.from(this.root), range_end: Buffer.from(`${prefix}instances0`) };
    this.note = Buffer.from(`${this.root}@removal`);
  }

  pathOf(key: InstanceKey): Buffer {
    return Buffer.from(this.root + keyText(key));
  }

  /** Undefined for a key that is no instance's. */
  keyOf(path: Buffer): InstanceKey | undefined {
    const parts = path.toString().slice(this.root.length).split('/');
    const [serviceName, serviceId] = parts;
    return parts.length === 2 && serviceName && serviceId ? { serviceName, serviceId } : undefined;
  }

  /** Undefined for a key that is no instance's. */
  stored({ key: path, value, mod_revision: version, lease }: IKeyValue): Stored | undefined {
    const key = this.keyOf(path);
    return key && { key, version, lease, instance: instanceIn(value, key, version) };
  }
}

function instanceIn(value: Buffer, key: InstanceKey, version: Version): ServiceInstance | BackendError {
  try {
    const record = decodeRecord(JSON.parse(value.toString()));
    if (keyText(record) !== keyText(key)) throw new BackendError('INVALID', `is the record of ${keyText(record)}`);
    return { ...record, version, vitals: {} };
  } catch (error) {
    // Whoever wants to write there has done nothing wrong, but the record is not ours to write.
    const reason = asBackendError(error).message;
    return new BackendError('CONFLICT', `what is stored cannot be read: ${reason}`, { cause: error });
  }
}

export function encode(record: InstanceRecord): Buffer {
  return Buffer.from(JSON.stringify(encodeRecord(record)));
}
