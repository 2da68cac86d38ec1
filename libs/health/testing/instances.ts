import type { HealthCheck, ServiceInstance } from '#core';

export function check(over: Partial<HealthCheck> = {}): HealthCheck {
  return {
    type: 'fake',
    options: {},
    interval: 10_000,
    timeout: 1_000,
    successBeforePassing: 1,
    failuresBeforeCritical: 2,
    deregisterCriticalAfter: 0,
    ...over,
  };
}

export function instance(over: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    serviceName: 'api',
    serviceId: 'api-1',
    address: '10.0.0.1',
    port: 8080,
    tags: [],
    metadata: {},
    check: check(),
    reported: 'passing',
    registeredAt: 0,
    changed: { cause: 'registered', actor: 'test', at: 0 },
    version: '1',
    vitals: {},
    ...over,
  };
}
