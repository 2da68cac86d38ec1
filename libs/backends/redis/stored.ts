import {
  BackendError,
  decodeRecord,
  encodeRecord,
  keyText,
  type InstanceKey,
  type InstanceRecord,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';

export interface StoredRecord {
  readonly record: InstanceRecord;
  readonly version: Version;
}

/** JSON, its lease in front where the scripts read it; they put the version before that. */
export function encode(record: InstanceRecord): string {
  const { ttl, ...rest } = encodeRecord(record);
  return JSON.stringify(ttl === undefined ? rest : { ttl, ...rest });
}

/** @throws BackendError `CONFLICT` for what this release cannot read: it is not ours to write. */
export function decode(key: string, text: string): StoredRecord {
  try {
    const { version, ...value } = JSON.parse(text) as { version?: unknown };
    if (typeof version !== 'string' || !/^[1-9]\d*$/.test(version)) throw new Error('it has no version');
    const record = decodeRecord(value);
    if (keyText(record) !== key) throw new Error(`it is the record of ${keyText(record)}`);
    return { record, version };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendError('CONFLICT', `the record of ${key} cannot be read: ${reason}`, { cause: error });
  }
}

/** undefined for what this release cannot read. */
export function readInstance(
  key: string,
  text: string,
  heartbeat: string | null,
  load: string | null,
): ServiceInstance | undefined {
  try {
    const { record, version } = decode(key, text);
    return { ...record, version, vitals: vitalsOf(heartbeat, load) };
  } catch {
    return undefined;
  }
}

/** What the hashes of heartbeats and loads say of an instance; what they cannot say is absent. */
function vitalsOf(heartbeat: string | null, load: string | null): Vitals {
  const lastHeartbeat = numberIn(heartbeat);
  const [loadPercentage, loadAt, activeConnections] = (load ?? '').split(' ').map(numberIn);
  return {
    ...(lastHeartbeat !== undefined && { lastHeartbeat }),
    ...(loadPercentage !== undefined && { loadPercentage, loadAt }),
    ...(activeConnections !== undefined && { activeConnections }),
  };
}

function numberIn(text: string | null): number | undefined {
  const number = text ? Number(text) : NaN;
  return Number.isNaN(number) ? undefined : number;
}

export function keyIn(text: string): InstanceKey {
  const at = text.indexOf('/');
  return { serviceName: text.slice(0, at), serviceId: text.slice(at + 1) };
}
