import { z } from 'zod';
import { CHANGE_CAUSES, HEALTH_STATUSES, HOLD_CAUSES, INSTANCE_STATUSES, REMOVAL_CAUSES } from '#core';

// The answers as the OpenAPI document has them; a test holds every route to them.

const time = z.iso.datetime();
const count = z.int().min(0);
const status = z.enum(INSTANCE_STATUSES);
const serviceStatus = z.enum(HEALTH_STATUSES);

export const healthCheckAnswer = z
  .looseObject({
    type: z.string(),
    interval: z.number().meta({ description: 'seconds' }),
    timeout: z.number().meta({ description: 'seconds' }),
    success_before_passing: count,
    failures_before_critical: count,
    deregister_critical_service_after: z.number().meta({ description: 'seconds; 0 never' }),
  })
  .meta({ id: 'HealthCheck' });

export const instanceAnswer = z
  .strictObject({
    service_id: z.string(),
    service_name: z.string(),
    address: z.string(),
    port: z.int(),
    protocol: z.string(),
    path: z.string(),
    url: z.string(),
    tags: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    weight: z.int(),
    region: z.string().nullable(),
    zone: z.string().nullable(),
    status,
    maintenance_reason: z.string().optional(),
    held: z.literal(true).optional().meta({ description: 'lost together with too many others: kept for a while' }),
    registered_at: time,
    last_heartbeat: time.nullable(),
    last_health_check: time.nullable(),
    load_percentage: z.number().nullable(),
    active_connections: z.int().nullable(),
    ttl: z.number().nullable().meta({ description: 'seconds of the lease; null: silence never ends it' }),
    health_check: healthCheckAnswer.nullable(),
    version: z.string(),
  })
  .meta({ id: 'Instance' });
export type InstanceAnswer = z.output<typeof instanceAnswer>;

const counts = { service_name: z.string(), total_instances: count, healthy_instances: count, status: serviceStatus };

export const serviceSummaryAnswer = z
  .strictObject({ ...counts, tags: z.array(z.string()), instances: z.array(instanceAnswer).optional() })
  .meta({ id: 'ServiceSummary' });

export const serviceAnswer = z
  .strictObject({ ...counts, tags: z.array(z.string()), instances: z.array(instanceAnswer) })
  .meta({ id: 'Service' });

export const checkAnswer = z
  .strictObject({
    service_name: z.string(),
    service_id: z.string(),
    check_id: z.string(),
    type: z.string(),
    status: serviceStatus,
    output: z.string(),
    timestamp: time.nullable().meta({ description: 'null: not checked yet' }),
    duration_ms: z.number().nullable(),
  })
  .meta({ id: 'Check' });

export const instanceHealthAnswer = z
  .strictObject({
    service_name: z.string(),
    service_id: z.string(),
    status,
    healthy: z.boolean(),
    maintenance_reason: z.string().optional(),
    held: z.literal(true).optional(),
    last_heartbeat: time.nullable(),
    last_health_check: time.nullable(),
    load_percentage: z.number().nullable(),
    checks: z.array(checkAnswer),
  })
  .meta({ id: 'InstanceHealth' });

export const serviceHealthAnswer = z
  .strictObject({
    ...counts,
    totals: z.strictObject({ passing: count, warning: count, critical: count, maintenance: count }),
    instances: z.array(instanceHealthAnswer),
  })
  .meta({ id: 'ServiceHealth' });

export const healthAnswer = z.union([serviceHealthAnswer, instanceHealthAnswer]);
export const checkNowAnswer = z.union([checkAnswer, z.strictObject({ results: z.array(checkAnswer) })]);

const seen = {
  total_requests: count,
  average_response_time_ms: z.number(),
  error_rate: z.number(),
};
export const serviceMetricsAnswer = z
  .strictObject({ service_name: z.string(), total_instances: count, healthy_instances: count, ...seen })
  .meta({ id: 'ServiceMetrics' });
export const instanceMetricsAnswer = z
  .strictObject({ service_name: z.string(), service_id: z.string(), status, in_flight: count, ...seen })
  .meta({ id: 'InstanceMetrics' });

const capability = z.enum(['native', 'emulated', 'refused']);
const listed = z.array(z.strictObject({ name: z.string(), summary: z.string() }));
export const capabilitiesAnswer = z
  .strictObject({
    backend: z.strictObject({
      type: z.string(),
      register: capability,
      leases: capability,
      maintenance: capability,
      removal_causes: capability,
      configuration: capability,
      durable: z.boolean(),
      replicas: z.boolean(),
      notes: z.array(z.string()),
    }),
    backends: listed,
    strategies: listed,
    default_strategy: z.string(),
    probes: listed,
    authentication_schemes: listed,
    dialects: listed,
  })
  .meta({ id: 'Capabilities' });

export const ticketAnswer = z
  .strictObject({ ticket: z.string(), expires_in: count.meta({ description: 'seconds' }) })
  .meta({ id: 'Ticket' });

export const explanationAnswer = z
  .strictObject({
    strategy: z.string(),
    reason: z.string(),
    candidates: z.array(z.string()),
    left_out: z.array(z.strictObject({ service_id: z.string(), reason: z.string() })),
  })
  .meta({ id: 'Explanation' });

export const problemAnswer = z
  .object({
    success: z.literal(false),
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    candidates: z.array(z.strictObject({ service_name: z.string(), service_id: z.string() })).optional(),
    current_version: z.int().nullable().optional().meta({ description: 'of a document; null: there is none' }),
  })
  .meta({ id: 'Problem' });

export const batchItemAnswer = z
  .strictObject({
    index: count,
    status: z.int(),
    instance: instanceAnswer.optional(),
    problem: problemAnswer.optional(),
  })
  .meta({ id: 'BatchItem' });

export const timelineAnswer = z
  .strictObject({
    at: time.meta({ description: 'by the clock of whoever did it' }),
    service_id: z.string(),
    cause: z.enum([...CHANGE_CAUSES, ...REMOVAL_CAUSES, ...HOLD_CAUSES]),
    actor: z.string().meta({ description: 'who did it: a caller, health-monitor, registry' }),
    before: status.nullable().meta({ description: 'null: it was not there, or nobody here knows' }),
    status: status.nullable().meta({ description: 'null: it is gone' }),
    detail: z.string().optional(),
    output: z.string().optional().meta({ description: 'of the probe, where this server has made it' }),
    earlier: z.literal(true).optional().meta({ description: 'its latest change, from before this server watched' }),
  })
  .meta({ id: 'TimelineEntry' });

/** The envelope of every success. */
export function success<T extends z.ZodType>(data: T) {
  return z.strictObject({ success: z.literal(true), data, message: z.string().optional() });
}

export function page<T extends z.ZodType>(item: T) {
  return z.strictObject({
    success: z.literal(true),
    data: z.array(item),
    page: z.strictObject({ next_cursor: z.string().nullable() }).optional(),
  });
}
