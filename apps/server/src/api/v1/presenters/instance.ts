import {
  hasActiveCheck,
  isHealthy,
  pathOf,
  protocolOf,
  regionOf,
  statusOf,
  toSeconds,
  urlOf,
  weightOf,
  zoneOf,
  type HealthCheck,
  type HealthStatus,
  type ServiceInstance,
} from '#core';
import type { CatalogEntry } from '#catalog';
import type { CheckReport } from '#health';
import type { Presentation } from '../../../answers/answers.js';
import type { Finding } from '../../../replica/sightings.js';
import type { InstanceAnswer } from '../schemas/answers.js';

export function presentInstance({ instance, hold }: CatalogEntry, { vitals }: Presentation): InstanceAnswer {
  const seen = vitals ? instance.vitals : {};
  return {
    service_id: instance.serviceId,
    service_name: instance.serviceName,
    address: instance.address,
    port: instance.port,
    protocol: protocolOf(instance),
    path: pathOf(instance),
    url: urlOf(instance),
    tags: [...instance.tags],
    metadata: { ...instance.metadata },
    weight: weightOf(instance),
    region: regionOf(instance) ?? null,
    zone: zoneOf(instance) ?? null,
    status: statusOf(instance),
    ...(instance.maintenance && { maintenance_reason: instance.maintenance.reason }),
    ...(hold && { held: true as const }),
    registered_at: time(instance.registeredAt)!,
    last_heartbeat: time(seen.lastHeartbeat),
    last_health_check: time(seen.lastHealthCheck),
    load_percentage: seen.loadPercentage ?? null,
    active_connections: seen.activeConnections ?? null,
    ttl: instance.ttl === undefined ? null : toSeconds(instance.ttl),
    health_check: instance.check ? presentCheck(instance.check) : null,
    version: instance.version,
  };
}

export function presentInstanceHealth(entry: CatalogEntry, finding: Finding, { vitals }: Presentation) {
  const { instance, hold } = entry;
  const seen = vitals ? instance.vitals : {};
  const status = statusOf(instance);
  return {
    service_name: instance.serviceName,
    service_id: instance.serviceId,
    status,
    healthy: isHealthy(status),
    ...(instance.maintenance && { maintenance_reason: instance.maintenance.reason }),
    ...(hold && { held: true as const }),
    last_heartbeat: time(seen.lastHeartbeat),
    last_health_check: time(seen.lastHealthCheck),
    load_percentage: seen.loadPercentage ?? null,
    checks: presentChecks(entry, finding, { vitals }),
  };
}

/** One check an instance: what it declared, and what the last probe of it said. */
export function presentChecks({ instance }: CatalogEntry, { report, unknown }: Finding, { vitals }: Presentation) {
  const { check, serviceName, serviceId } = instance;
  if (!check) return [];
  const seen = vitals ? report : undefined;
  return [
    {
      service_name: serviceName,
      service_id: serviceId,
      check_id: `service:${serviceId}`,
      type: check.type,
      status: checkStatusOf(instance),
      output: seen?.output ?? (vitals ? (unknown ?? '') : ''),
      timestamp: time(seen?.timestamp),
      duration_ms: milliseconds(seen?.durationMs),
    },
  ];
}

/** What the check itself says: the probe's word, or the heartbeats' of one that nobody probes. */
function checkStatusOf(instance: ServiceInstance): HealthStatus {
  return hasActiveCheck(instance) ? (instance.probed ?? 'passing') : instance.reported;
}

/** To the microsecond. */
function milliseconds(duration: number | null | undefined): number | null {
  return duration == null ? null : Math.round(duration * 1_000) / 1_000;
}

export function presentReport(report: CheckReport) {
  return {
    service_name: report.serviceName,
    service_id: report.serviceId,
    check_id: report.checkId,
    type: report.type,
    status: report.status,
    output: report.output,
    timestamp: time(report.timestamp),
    duration_ms: milliseconds(report.durationMs),
  };
}

function presentCheck(check: HealthCheck) {
  return {
    ...check.options,
    type: check.type,
    interval: toSeconds(check.interval),
    timeout: toSeconds(check.timeout),
    success_before_passing: check.successBeforePassing,
    failures_before_critical: check.failuresBeforeCritical,
    deregister_critical_service_after: toSeconds(check.deregisterCriticalAfter),
  };
}

function time(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
