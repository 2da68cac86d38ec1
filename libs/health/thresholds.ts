import type { HealthCheck, HealthStatus } from '#core';

/** How often in a row an instance must fail, or not fail, before its status follows. */
export type ThresholdLimits = Pick<HealthCheck, 'successBeforePassing' | 'failuresBeforeCritical'>;

/** What the probes so far make of an instance. */
export interface Thresholds {
  readonly status: HealthStatus;
  /** Probes in a row that failed. */
  readonly failures: number;
  /** Probes in a row that did not fail: it answered, if only to complain. */
  readonly answers: number;
  /** Probes in a row that passed. */
  readonly successes: number;
}

/** Takes up where somebody has left: what the registry says of the instance. */
export function startingAt(status: HealthStatus): Thresholds {
  return { status, failures: 0, answers: 0, successes: 0 };
}

/**
 * What one more probe makes of it.
 *
 * A failure (`critical`) makes it warning at once, and critical when `failuresBeforeCritical` came in
 * a row. A complaint (`warning`: a 429, a degraded instance) makes it warning, never critical. It is
 * an answer, so it ends a run of failures, as in Consul; it is not a success, so it ends a run of
 * those too. `successBeforePassing` successes in a row make it passing; a critical instance that
 * answers as often, complaints among it, is warning: alive, and not to be evicted.
 */
export function afterProbe(before: Thresholds, outcome: HealthStatus, limits: ThresholdLimits): Thresholds {
  if (outcome === 'critical') {
    const failures = before.failures + 1;
    const critical = before.status === 'critical' || failures >= limits.failuresBeforeCritical;
    return { status: critical ? 'critical' : 'warning', failures, answers: 0, successes: 0 };
  }
  const answers = before.answers + 1;
  const successes = outcome === 'passing' ? before.successes + 1 : 0;
  return { status: answered(), failures: 0, answers, successes };

  function answered(): HealthStatus {
    if (outcome === 'passing' && (before.status === 'passing' || successes >= limits.successBeforePassing)) {
      return 'passing';
    }
    return before.status === 'critical' && answers < limits.successBeforePassing ? 'critical' : 'warning';
  }
}
