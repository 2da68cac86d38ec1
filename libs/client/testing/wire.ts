import { pathOf, protocolOf, regionOf, statusOf, urlOf, weightOf, zoneOf, type ServiceInstance } from '#core';
import type { WireInstance } from '../instance.js';

/** As the server tells it. */
export function wireOf(instance: ServiceInstance): WireInstance {
  const { vitals, maintenance } = instance;
  return {
    service_id: instance.serviceId,
    service_name: instance.serviceName,
    address: instance.address,
    port: instance.port,
    protocol: protocolOf(instance),
    path: pathOf(instance),
    url: urlOf(instance),
    tags: instance.tags,
    metadata: instance.metadata,
    weight: weightOf(instance),
    region: regionOf(instance) ?? null,
    zone: zoneOf(instance) ?? null,
    status: statusOf(instance),
    ...(maintenance && { maintenance_reason: maintenance.reason }),
    registered_at: new Date(instance.registeredAt).toISOString(),
    load_percentage: vitals.loadPercentage ?? null,
    active_connections: vitals.activeConnections ?? null,
    version: instance.version,
  };
}
