/** What a heartbeat or a probe can say of an instance. */
export const HEALTH_STATUSES = ['passing', 'warning', 'critical'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** What an instance can be: its health, or taken out of rotation by somebody. */
export const INSTANCE_STATUSES = [...HEALTH_STATUSES, 'maintenance'] as const;
export type InstanceStatus = (typeof INSTANCE_STATUSES)[number];

export function worst(a: HealthStatus, b: HealthStatus): HealthStatus {
  return HEALTH_STATUSES.indexOf(a) >= HEALTH_STATUSES.indexOf(b) ? a : b;
}

/** A warning instance still receives traffic; one in maintenance never does. */
export function isHealthy(status: InstanceStatus): boolean {
  return status === 'passing' || status === 'warning';
}

/**
 * A service's status from those of its instances: passing when all in rotation pass, warning when
 * only some receive traffic without complaint, critical when none does.
 */
export function serviceStatus(statuses: Iterable<InstanceStatus>): HealthStatus {
  let receiving = false;
  let complaint = false;
  for (const status of statuses) {
    receiving ||= isHealthy(status);
    complaint ||= status === 'warning' || status === 'critical';
  }
  if (!receiving) return 'critical';
  return complaint ? 'warning' : 'passing';
}
