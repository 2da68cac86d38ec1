import type { InstanceRecord, Registration, ServiceInstance } from '../index.js';

export function registration(over: Partial<Registration> = {}): Registration {
  return {
    serviceName: 'api',
    serviceId: 'api-1',
    address: '10.0.0.1',
    port: 8080,
    tags: [],
    metadata: {},
    ttl: 60_000,
    ...over,
  };
}

/** Every field set to something that is not its default. */
export const FULL: Registration = {
  serviceName: 'full.service_name-1',
  serviceId: 'full-1',
  address: '2001:db8::1',
  port: 65_535,
  tags: ['api', 'v1'],
  metadata: { version: '1.0.0', cpu_usage: '12.5', empty: '' },
  weight: 0,
  region: 'eu-west-1',
  zone: 'eu-west-1a',
  protocol: 'https',
  path: '/base',
  check: {
    type: 'http',
    options: { http_path: '/health?deep=1' },
    interval: 10_000,
    timeout: 1_500,
    successBeforePassing: 2,
    failuresBeforeCritical: 3,
    deregisterCriticalAfter: 0,
  },
  ttl: 90_000,
  status: 'warning',
  enableTagOverride: true,
};

/** Values that have broken somebody's storage, escaping or path before. */
export const HOSTILE: readonly Partial<Registration>[] = [
  { serviceId: 'höst-Ünïcode-日本語-🚀' },
  { serviceId: '%2F..%2f%00' },
  { serviceId: 'a b?c#d&e=f;g:h@i' },
  { serviceId: '"quoted"\'`$(id)`\\' },
  { serviceId: 'x'.repeat(255) },
  { serviceId: '🚀'.repeat(255) },
  { serviceId: '...' },
  { serviceId: 'constructor', metadata: { constructor: 'x', toString: 'y', hasOwnProperty: 'z' } },
  { serviceId: 'tags', tags: ['a,b', '!not', 'ünï', ' spaced ', '*', '{"a":1}', 't'.repeat(100)] },
  { serviceId: 'many-tags', tags: Array.from({ length: 60 }, (_, i) => `tag-${i}`) },
  { serviceId: 'long', metadata: { key: 'v'.repeat(512), ['k'.repeat(128)]: 'line\nbreak\ttab "quote" \\ \u2028' } },
  { serviceId: 'many', metadata: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key-${i}`, `${i}`])) },
  { serviceName: 'constructor', serviceId: '__proto__' },
  { serviceName: 'n'.repeat(100), serviceId: 'long-name' },
];

/** What must come back of a registration, whoever stored it. */
export function declared(instance: ServiceInstance | InstanceRecord | undefined): Partial<Registration> | undefined {
  if (!instance) return undefined;
  const { registeredAt, changed, reported, probed, maintenance, tagsOverridden, unknownFields, ...rest } = instance;
  const { version, vitals, ...fields } = rest as ServiceInstance;
  return fields;
}
