import type { HealthStatus } from '#core';

/** What an instance is. Durations as the API takes them: seconds, or `'30s'`. */
export interface RegistrationRequest {
  readonly service: string;
  /** Made of service, host and port without it: the same for the same place. */
  readonly id?: string;
  readonly host: string;
  readonly port: number;
  readonly protocol?: string;
  readonly path?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  /** How long it lives without a heartbeat, seconds; 30 by default, at least 5. */
  readonly ttl?: number;
  /** As `POST /services` takes it: checked by the server as well, beside the heartbeats. */
  readonly healthCheck?: Readonly<Record<string, unknown>>;
  /** Asked before each heartbeat. */
  readonly load?: () => Load;
}

/** What an instance says of itself. */
export interface Load {
  readonly status?: HealthStatus;
  /** 0 to 1; more under overload. */
  readonly loadPercentage?: number;
  readonly activeConnections?: number;
}

export const DEFAULT_TTL_S = 30;

export function toBody(request: RegistrationRequest): object {
  const { service, healthCheck, ttl = DEFAULT_TTL_S, load: _, ...rest } = request;
  return { ...rest, service_name: service, ttl, health_check: healthCheck };
}

export function toHeartbeat({ status, loadPercentage, activeConnections }: Load): object {
  return { status, load_percentage: loadPercentage, active_connections: activeConnections };
}
