import {
  keyText,
  parseDuration,
  type ChangeCause,
  type InstanceKey,
  type InstanceStatus,
  type RemovalCause,
  type ServiceInstance,
} from '#core';
import type { WatchEvent } from '../discovery/follower.js';
import type { Load } from '../registration/request.js';
import { Refusal } from './refusal.js';
import { wireOf } from './wire.js';

/** What `POST /services` takes: of its members those that the client sends. */
export interface RegistrationBody {
  readonly service_name?: unknown;
  readonly id?: string;
  readonly host?: unknown;
  readonly port?: unknown;
  readonly ttl?: unknown;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly protocol?: string;
  readonly path?: string;
}

const MIN_TTL_MS = 5_000;

/** Instances by the rules of the real one, but that nothing happens to them by itself: no lease ends, nobody probes. */
export class Registry {
  revision = 0;
  private readonly known = new Map<string, ServiceInstance>();
  private readonly listeners = new Set<(event: WatchEvent) => void>();

  /** All, or those of one service; sorted by id. */
  instances(service?: string): readonly ServiceInstance[] {
    const name = service?.toLowerCase();
    return [...this.known.values()]
      .filter(({ serviceName }) => name === undefined || serviceName === name)
      .sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1));
  }

  /** @throws Refusal */
  register(body: RegistrationBody): ServiceInstance {
    const { serviceName, address, port, ttl } = checked(body);
    const { id: serviceId = `${serviceName}-${address}-${port}`, tags = [], metadata = {} } = body;
    const before = this.known.get(keyText({ serviceName, serviceId }));
    const samePlace = before?.address === address && before.port === port;
    const at = Date.now();
    return this.put('registered', {
      serviceName,
      serviceId,
      address,
      port,
      ttl,
      tags: [...new Set(tags)],
      metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
      weight: body.weight,
      region: body.region,
      zone: body.zone,
      protocol: body.protocol?.toLowerCase(),
      path: body.path,
      reported: samePlace ? before.reported : 'passing',
      maintenance: before?.maintenance,
      registeredAt: before?.registeredAt ?? at,
      vitals: { lastHeartbeat: at },
    });
  }

  /** @throws Refusal */
  renew(key: InstanceKey, { status, ...vitals }: Load): ServiceInstance {
    const before = this.get(key);
    const after = { ...before, vitals: { ...before.vitals, ...given(vitals), lastHeartbeat: Date.now() } };
    if (status !== undefined && status !== before.reported) return this.put('status', { ...after, reported: status });
    // What moves all the time is no change.
    this.known.set(keyText(key), after);
    return after;
  }

  /** @throws Refusal */
  setStatus(key: InstanceKey, status: InstanceStatus): ServiceInstance {
    const { maintenance: _, ...rest } = this.get(key);
    return status === 'maintenance'
      ? this.put('maintenance', { ...rest, maintenance: { reason: '' } })
      : this.put('status', { ...rest, reported: status });
  }

  /** @throws Refusal */
  remove(key: InstanceKey, cause: RemovalCause): void {
    const { serviceName: service_name, serviceId: service_id } = this.get(key);
    this.known.delete(keyText(key));
    this.tell({ event: 'remove', cause, service_name, service_id });
  }

  /** Told of every change; returns how to end that. */
  subscribe(listener: (event: WatchEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private get(key: InstanceKey): ServiceInstance {
    const instance = this.known.get(keyText(key));
    if (instance) return instance;
    throw new Refusal(404, 'INSTANCE_NOT_FOUND', `no instance ${key.serviceId} of service ${key.serviceName}`);
  }

  private put(cause: ChangeCause, record: Omit<ServiceInstance, 'version' | 'changed'>): ServiceInstance {
    const changed = { cause, actor: 'test', at: Date.now() };
    const instance = { ...record, changed, version: String(this.revision + 1) };
    this.known.set(keyText(instance), instance);
    this.tell({ event: 'upsert', cause, instance: wireOf(instance) });
    return instance;
  }

  private tell(event: WatchEvent): void {
    this.revision++;
    for (const listener of [...this.listeners]) listener(event);
  }
}

/** Where people err; what else the server looks at, the length of a tag say, is not looked at here. */
function checked({ service_name, host, port, ttl }: RegistrationBody) {
  const named = typeof service_name === 'string' && /^(?!\.+$)[A-Za-z0-9._-]{1,100}$/.test(service_name);
  const placed = typeof host === 'string' && /^[^\s/]+$/.test(host);
  const open = Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
  const lease = ttl === undefined ? undefined : parseDuration(ttl);
  const lasting = ttl === undefined || (lease !== undefined && lease >= MIN_TTL_MS);
  const errors = [
    { path: 'service_name', ok: named, message: 'must be 1 to 100 characters of A–Z, a–z, 0–9, ".", "_" and "-"' },
    { path: 'host', ok: placed, message: 'must be a host name, an IPv4 or an IPv6 address without a zone' },
    { path: 'port', ok: open, message: 'must be 1 to 65535' },
    { path: 'ttl', ok: lasting, message: 'must be at least 5 s' },
  ].flatMap(({ ok, ...error }) => (ok ? [] : [error]));
  if (errors.length > 0) throw new Refusal(400, 'INVALID_REQUEST', 'the request is not valid', errors);
  return {
    serviceName: (service_name as string).toLowerCase(),
    address: host as string,
    port: port as number,
    ttl: lease,
  };
}

function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
