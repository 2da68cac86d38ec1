import { isHealthy, statusOf, urlOf, type ServiceInstance } from '#core';
import type { CatalogEntry } from '#catalog';
import type { Presentation } from '../../../answers/answers.js';
import type { RegistrationWish } from '../../../registration/wish.js';
import type { Finding } from '../../../replica/sightings.js';
import { withNested } from '../metadata.js';
import { isoTime, wordOf } from '../words.js';
import type { RegisterInput } from './schemas.js';

const CHECK_PATH = '/health';

/** No heartbeats are to be expected: it lives by its check alone. */
export function wishOf(input: RegisterInput): RegistrationWish {
  const { service_name: serviceName, service_id: serviceId, host: address, health_check_path, ...rest } = input;
  const check = { type: 'http', options: { http_path: health_check_path ?? CHECK_PATH } };
  return { ...rest, serviceName, serviceId, address, check };
}

export function registered({ instance }: CatalogEntry) {
  return {
    status: 'registered',
    service_name: instance.serviceName,
    service_id: instance.serviceId,
    base_url: urlOf(instance),
  };
}

/** The one instance that stands for its service, which has one: the first by id that is healthy, else the first. */
export function representative(entries: readonly CatalogEntry[]): CatalogEntry {
  return entries.find(({ instance }) => isHealthy(statusOf(instance))) ?? entries[0]!;
}

export function presentPlace(instance: ServiceInstance) {
  return { service_name: instance.serviceName, base_url: urlOf(instance), status: wordOf(instance) };
}

export function presentService({ instance }: CatalogEntry) {
  return { ...presentPlace(instance), tags: [...instance.tags], metadata: withNested(instance.metadata) };
}

export function presentHealth({ instance }: CatalogEntry, { report }: Finding, { vitals }: Presentation) {
  const { lastHeartbeat, lastHealthCheck } = instance.vitals;
  return {
    status: wordOf(instance),
    endpoint: urlOf(instance),
    last_heartbeat: vitals ? isoTime(lastHeartbeat ?? lastHealthCheck) : null,
    health_data: (vitals ? report?.data : undefined) ?? null,
  };
}
