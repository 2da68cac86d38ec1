import type { JsonObject } from './json.js';
import type { HealthStatus, InstanceStatus } from './status.js';
import { worst } from './status.js';
import type { Version } from './version.js';
import type { ChangeStamp } from './lifecycle.js';
import { LIMITS } from './limits.js';

/** Ids need not be unique across services: an instance is its service *and* its id. */
export interface InstanceKey {
  /** Folded to lower case. */
  readonly serviceName: string;
  readonly serviceId: string;
}

/** How an instance wants to be checked. Durations in milliseconds. */
export interface HealthCheck {
  /** Name of a probe; `ttl` is the passive one: the instance lives by heartbeats alone. */
  readonly type: string;
  /** What this probe type needs (a path, an address…), in the spelling of the API; its schema is the probe's. */
  readonly options: JsonObject;
  readonly interval: number;
  readonly timeout: number;
  readonly successBeforePassing: number;
  readonly failuresBeforeCritical: number;
  /** Critical for longer than this while somebody watches: removed. 0 never. */
  readonly deregisterCriticalAfter: number;
}

/** What a registry keeps of an instance. Times are milliseconds since the epoch, durations milliseconds. */
export interface InstanceRecord extends InstanceKey {
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** These five as declared at the top level; `weightOf` and its like fall back to metadata and defaults. */
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly protocol?: string;
  readonly path?: string;
  readonly check?: HealthCheck;
  /** The lease: without a heartbeat for this long the instance is gone. Absent: silence never ends it. */
  readonly ttl?: number;
  /** What its heartbeats say of it. */
  readonly reported: HealthStatus;
  /** What its probe says of it, once there was one. */
  readonly probed?: HealthStatus;
  readonly maintenance?: { readonly reason: string };
  /** Tags that PATCH has set outlive a new registration. */
  readonly enableTagOverride?: boolean;
  readonly tagsOverridden?: boolean;
  readonly registeredAt: number;
  /** Who has registered it first, as limits tell callers apart; absent: it is not known. */
  readonly registeredBy?: string;
  /** The latest change and whose it was, stored with it so that every replica can tell the story. */
  readonly changed: ChangeStamp;
  /** Fields of a newer release, kept as they are. */
  readonly unknownFields?: JsonObject;
}

/**
 * What moves all the time: it makes no new version, no new revision, and wakes nobody. The replica
 * that took the heartbeat or made the probe knows it; elsewhere it may be absent.
 */
export interface Vitals {
  /** Whole milliseconds since the epoch, as the next. */
  readonly lastHeartbeat?: number;
  readonly lastHealthCheck?: number;
  /** 0–1, may exceed 1 under overload. */
  readonly loadPercentage?: number;
  /** When the load was told, by its heartbeat or its probe; absent: at the last heartbeat. Of two, the newer stands. */
  readonly loadAt?: number;
  readonly activeConnections?: number;
}

export interface ServiceInstance extends InstanceRecord {
  readonly version: Version;
  readonly vitals: Vitals;
}

/** Two keys are the same instance exactly when these are equal: neither part can hold the separator. */
export function keyText(key: InstanceKey): string {
  return `${key.serviceName}/${key.serviceId}`;
}

export function keyOf({ serviceName, serviceId }: InstanceKey): InstanceKey {
  return { serviceName, serviceId };
}

/** What a registry keeps of it. */
export function recordOf(instance: ServiceInstance): InstanceRecord {
  const { version: _version, vitals: _vitals, ...record } = instance;
  return record;
}

/** The worst of what its heartbeats and its probe say, with maintenance on top. */
export function statusOf(record: InstanceRecord): InstanceStatus {
  return record.maintenance ? 'maintenance' : healthOf(record);
}

/** Its health alone, whether it is in rotation or not. */
export function healthOf(record: InstanceRecord): HealthStatus {
  return worst(record.reported, record.probed ?? 'passing');
}

export const DEFAULT_WEIGHT = 100;
export const DEFAULT_PROTOCOL = 'http';

/** 0–65535; 0 takes no weighted share. What another tool has written as a weight and is none counts as absent. */
export function weightOf(record: InstanceRecord): number {
  const { weight = record.metadata.weight } = record;
  const number = weight === undefined || weight === '' ? NaN : Number(weight);
  return Number.isInteger(number) && number >= 0 && number <= LIMITS.maxWeight ? number : DEFAULT_WEIGHT;
}

export function regionOf(record: InstanceRecord): string | undefined {
  return record.region ?? record.metadata.region;
}

export function zoneOf(record: InstanceRecord): string | undefined {
  return record.zone ?? record.metadata.zone;
}

export function protocolOf(record: InstanceRecord): string {
  return record.protocol ?? record.metadata.protocol ?? DEFAULT_PROTOCOL;
}

/** Empty, or with a leading slash. */
export function pathOf(record: InstanceRecord): string {
  const path = record.path ?? record.metadata.path ?? '';
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}

/** An active check probes; a `ttl` check only waits for heartbeats. */
export function hasActiveCheck(record: Pick<InstanceRecord, 'check'>): boolean {
  return record.check !== undefined && record.check.type !== 'ttl';
}

/** `host:port`, with an IPv6 address in brackets. */
export function authorityOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function urlOf(record: InstanceRecord): string {
  return `${protocolOf(record)}://${authorityOf(record.address, record.port)}${pathOf(record)}`;
}
