import type { HealthCheck, JsonObject, ProbeContext, ProbeModule } from '#core';
import { badRequest } from '../http/problem.js';
import { toInputIssues } from '../http/schema.pipe.js';
import type { HealthCheckInput } from '../api/v1/schemas/registration.js';

export interface CheckDefaults {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly leaseMs: number;
}

/** The probes that there are, and what they may do here. */
export interface Probing {
  readonly probes: readonly ProbeModule[];
  readonly context: ProbeContext;
}

const DEFAULT_SUCCESSES = 1;
const DEFAULT_FAILURES = 2;
const PASSIVE = 'ttl';

/** A check as it was asked for, with the probe's own schema applied and every default filled in. */
export function healthCheckOf(
  input: HealthCheckInput | undefined,
  { probes, context }: Probing,
  defaults: CheckDefaults,
): HealthCheck | undefined {
  if (!input || input.enabled === false) return undefined;
  const probe = probeOf(input, probes);
  const interval = input.interval ?? defaults.intervalMs;
  const timeout = input.timeout ?? Math.min(defaults.timeoutMs, interval);
  if (timeout > interval) refuse('timeout', 'must not be longer than the interval');
  const options = optionsOf(input, probe);
  const refusal = probe.refusal?.(options, context);
  if (refusal !== undefined) refuse(probe.type, refusal);
  return {
    type: probe.type,
    options,
    interval,
    timeout,
    successBeforePassing: input.success_before_passing ?? DEFAULT_SUCCESSES,
    failuresBeforeCritical: input.failures_before_critical ?? DEFAULT_FAILURES,
    deregisterCriticalAfter: input.deregister_critical_service_after ?? defaults.leaseMs,
  };
}

/** The type that is named; else that of the first probe which knows one of the fields given. */
function probeOf(input: HealthCheckInput, probes: readonly ProbeModule[]): ProbeModule {
  const types = probes.map(({ type }) => type).join(', ');
  if (input.type !== undefined) {
    const named = probes.find(({ type }) => type === input.type);
    return named ?? refuse('type', `must be one of ${types}`);
  }
  const given = (name: string) => input[name] !== undefined && input[name] !== null;
  const fitting = probes.find(({ options }) => Object.keys(options.shape).some(given));
  if (fitting) return fitting;
  const passive = input.ttl === undefined ? undefined : probes.find(({ type }) => type === PASSIVE);
  return passive ?? refuse('type', `is needed, one of ${types}, or a field of one (http_path, url, address, …)`);
}

function optionsOf(input: HealthCheckInput, probe: ProbeModule): JsonObject {
  const own = Object.keys(probe.options.shape).flatMap((name) => (input[name] == null ? [] : [[name, input[name]]]));
  const parsed = probe.options.safeParse(Object.fromEntries(own));
  if (parsed.success) return parsed.data as JsonObject;
  const errors = toInputIssues(parsed.error.issues).map(({ path, message }) => ({
    path: `health_check.${path}`,
    message,
  }));
  throw badRequest('the health check is not valid', errors);
}

function refuse(field: string, message: string): never {
  throw badRequest('the health check is not valid', [{ path: `health_check.${field}`, message }]);
}
