import { toSeconds, type InstanceKey } from '#core';
import type { CatalogEntry } from '#catalog';
import type { Presentation } from '../../../answers/answers.js';
import type { CheckWish, RegistrationWish } from '../../../registration/wish.js';
import type { Settings } from '../../../settings/index.js';
import { withNested } from '../metadata.js';
import { isoTime, wordOf } from '../words.js';
import type { BeatInput, InstanceAnswer, RegisterInput } from './schemas.js';

/** Whatever is probed of it, it lives by its heartbeats. */
export function wishOf(input: RegisterInput, { leases }: Settings): RegistrationWish {
  const { service_name: serviceName, instance_id: serviceId, host: address, port, metadata, health_endpoint } = input;
  const check = health_endpoint === undefined ? undefined : checkOf(health_endpoint);
  return { serviceName, serviceId, address, port, metadata, check, ttl: leases.ttlMs };
}

function checkOf(endpoint: string): CheckWish {
  return { type: 'http', options: /^https?:\/\//i.test(endpoint) ? { url: endpoint } : { http_path: endpoint } };
}

export function keyOf({ service_name: serviceName, instance_id: serviceId }: BeatInput): InstanceKey {
  return { serviceName, serviceId };
}

/** How a client is to keep it alive. */
export function registered({ instance }: CatalogEntry, { leases }: Settings) {
  return {
    status: 'registered',
    service_name: instance.serviceName,
    instance_id: instance.serviceId,
    ttl_seconds: toSeconds(instance.ttl ?? leases.ttlMs),
    heartbeat_interval_seconds: toSeconds(leases.heartbeatIntervalMs),
  };
}

export function presentInstance({ instance }: CatalogEntry, { vitals }: Presentation): InstanceAnswer {
  const { check, vitals: known } = instance;
  const seen = vitals ? known : {};
  return {
    instance_id: instance.serviceId,
    host: instance.address,
    port: instance.port,
    health_endpoint: text(check?.options.url) ?? text(check?.options.http_path) ?? null,
    metadata: withNested(instance.metadata),
    status: wordOf(instance),
    load_percentage: seen.loadPercentage ?? null,
    last_heartbeat: isoTime(seen.lastHeartbeat),
    registered_at: isoTime(instance.registeredAt),
  };
}

function text(option: unknown): string | undefined {
  return typeof option === 'string' ? option : undefined;
}
