import type { HealthCheck, JsonObject, ProbeContext, ProbeModule } from '#core';
import { badRequest } from '../http/problem.js';
import { toInputIssues } from '../http/schema.pipe.js';
import type { CheckWish, RegistrationWish } from './wish.js';

export interface CheckRules {
  /** Whether active checks are made here. */
  readonly checksEnabled: boolean;
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

/**
 * A check as it was asked for, with the probe's own schema applied and every default filled in.
 * @throws Problem also for one that would never be made: better now than in the output of each check.
 */
export function healthCheckOf(
  { address, check: wish }: Pick<RegistrationWish, 'address' | 'check'>,
  { probes, context }: Probing,
  rules: CheckRules,
): HealthCheck | undefined {
  if (!wish) return undefined;
  const probe = probeOf(wish, probes);
  const interval = wish.interval ?? rules.intervalMs;
  const timeout = wish.timeout ?? Math.min(rules.timeoutMs, interval);
  if (timeout > interval) refuse('health_check.timeout', 'must not be longer than the interval');
  const options = optionsOf(wish, probe);
  const refusal = rules.checksEnabled ? probe.refusal?.({ address, options }, context) : undefined;
  if (refusal !== undefined) refuse('health_check', refusal);
  return {
    type: probe.type,
    options,
    interval,
    timeout,
    successBeforePassing: wish.successBeforePassing ?? DEFAULT_SUCCESSES,
    failuresBeforeCritical: wish.failuresBeforeCritical ?? DEFAULT_FAILURES,
    deregisterCriticalAfter: wish.deregisterCriticalAfter ?? rules.leaseMs,
  };
}

/** The type that is named; else that of the first probe which knows one of the fields given. */
function probeOf({ type, options, ttl }: CheckWish, probes: readonly ProbeModule[]): ProbeModule {
  const types = probes.map((probe) => probe.type).join(', ');
  if (type !== undefined) {
    const named = probes.find((probe) => probe.type === type);
    return named ?? refuse('health_check.type', `must be one of ${types}`);
  }
  const fitting = probes.find((probe) => Object.keys(probe.options.shape).some((name) => options[name] != null));
  if (fitting) return fitting;
  const passive = ttl === undefined ? undefined : probes.find((probe) => probe.type === PASSIVE);
  return (
    passive ?? refuse('health_check.type', `is needed, one of ${types}, or a field of one (http_path, url, address, …)`)
  );
}

function optionsOf({ options }: CheckWish, probe: ProbeModule): JsonObject {
  const own = Object.keys(probe.options.shape).flatMap((name) =>
    options[name] == null ? [] : [[name, options[name]]],
  );
  const parsed = probe.options.safeParse(Object.fromEntries(own));
  if (parsed.success) return parsed.data as JsonObject;
  const errors = toInputIssues(parsed.error.issues).map(({ path, message }) => ({
    path: `health_check.${path}`,
    message,
  }));
  throw badRequest('the health check is not valid', errors);
}

function refuse(path: string, message: string): never {
  throw badRequest('the health check is not valid', [{ path, message }]);
}
