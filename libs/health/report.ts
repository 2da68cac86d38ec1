import { keyOf, keyText, type HealthStatus, type InstanceKey, type JsonObject } from '#core';
import type { ProbeAttempt } from './probe-runner.js';
import type { Watched } from './watched.js';

/** What the latest check of an instance has found. */
export interface CheckReport extends InstanceKey {
  readonly checkId: string;
  /** Name of the probe. */
  readonly type: string;
  /** What the checks so far make of it, thresholds applied. */
  readonly status: HealthStatus;
  /** What an operator reads. */
  readonly output: string;
  /** When the check ended, milliseconds since the epoch. */
  readonly timestamp: number;
  readonly durationMs: number;
  /** What the instance's own answer said. */
  readonly data?: JsonObject;
}

/** Of an instance that was probed. */
export function reportOn(watched: Watched, attempt: ProbeAttempt, now: number): CheckReport {
  const result = 'result' in attempt ? attempt.result : { output: `cannot be checked: ${attempt.error.message}` };
  return {
    ...identityOf(watched),
    status: watched.status,
    output: result.output,
    timestamp: now,
    durationMs: attempt.durationMs,
    ...('data' in result && { data: result.data }),
  };
}

/** Of an instance that nobody probes: what its heartbeats say. */
export function passiveReport(watched: Watched, now: number): CheckReport {
  const { reported, vitals } = watched.instance;
  const seen =
    vitals.lastHeartbeat === undefined ? '' : `, the latest at ${new Date(vitals.lastHeartbeat).toISOString()}`;
  return {
    ...identityOf(watched),
    status: reported,
    output: `${keyText(watched.instance)} lives by its heartbeats${seen}`,
    timestamp: vitals.lastHeartbeat ?? now,
    durationMs: 0,
  };
}

/** An instance has one check, named as Consul names that of a service. */
function identityOf({ instance, check }: Watched): Pick<CheckReport, keyof InstanceKey | 'checkId' | 'type'> {
  return { ...keyOf(instance), checkId: `service:${instance.serviceId}`, type: check.type };
}
