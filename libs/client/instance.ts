import type { HealthStatus, InstanceStatus, ServiceInstance } from '#core';

/** An instance as this client knows it. */
export interface Instance extends ServiceInstance {
  readonly status: InstanceStatus;
  /** Where it is called: `http://10.0.0.1:8080/api`. */
  readonly url: string;
  /** Lost together with many others, which is taken for a fault of the network: kept for a while. */
  readonly held: boolean;
}

/** As the server tells it: of the members those that are read here. */
export interface WireInstance {
  readonly service_id: string;
  readonly service_name: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly path: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly weight: number;
  readonly region: string | null;
  readonly zone: string | null;
  readonly status: InstanceStatus;
  readonly maintenance_reason?: string;
  readonly held?: true;
  readonly registered_at: string;
  readonly load_percentage: number | null;
  readonly active_connections: number | null;
  readonly version: string;
}

export function instanceOf(wire: WireInstance): Instance {
  const { status } = wire;
  const registeredAt = Date.parse(wire.registered_at);
  return {
    serviceName: wire.service_name,
    serviceId: wire.service_id,
    address: wire.address,
    port: wire.port,
    protocol: wire.protocol,
    path: wire.path,
    url: wire.url,
    tags: wire.tags,
    metadata: wire.metadata,
    weight: wire.weight,
    region: wire.region ?? undefined,
    zone: wire.zone ?? undefined,
    status,
    // Whose word the status is, heartbeats' or a probe's, is not told; together they are it.
    reported: status === 'maintenance' ? 'passing' : (status satisfies HealthStatus),
    ...(status === 'maintenance' && { maintenance: { reason: wire.maintenance_reason ?? '' } }),
    held: wire.held ?? false,
    registeredAt,
    changed: { cause: 'registered', actor: '', at: registeredAt },
    version: wire.version,
    vitals: {
      loadPercentage: wire.load_percentage ?? undefined,
      activeConnections: wire.active_connections ?? undefined,
    },
  };
}
