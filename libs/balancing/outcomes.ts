import type { InstanceKey, InstanceStats, Outcome } from '#core';
import { Sums, Tally } from './tally.js';

export interface OutcomeRecorderOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** A pick that nobody has reported for this long is held to be over. */
  readonly forgetAfterMs?: number;
}

export interface ServiceTotals extends Pick<InstanceStats, 'picks' | 'requests' | 'errors' | 'averageMs'> {
  readonly serviceName: string;
  readonly errorRate: number;
}

interface ServiceRecord {
  readonly sums: Sums;
  readonly instances: Map<string, Tally>;
}

const NOTHING: InstanceStats & Pick<ServiceTotals, 'errorRate'> = Object.freeze({
  picks: 0,
  requests: 0,
  errors: 0,
  averageMs: 0,
  errorRate: 0,
  inFlight: 0,
  recentMs: 0,
  recentErrorRate: 0,
  peakMs: 0,
});

/**
 * Keeps what was picked and how it went. As large as the set of instances it is told of: whoever owns it
 * calls `forget` when one is gone, and reports on none that there is not.
 */
export class OutcomeRecorder {
  private readonly services = new Map<string, ServiceRecord>();
  private readonly now: () => number;
  private readonly forgetAfterMs: number;

  constructor({ now, forgetAfterMs = 60_000 }: OutcomeRecorderOptions) {
    this.now = now;
    this.forgetAfterMs = forgetAfterMs;
  }

  /**
   * An instance was picked.
   * @returns how this very call reports; it may come late, when the instance is long forgotten.
   */
  started(key: InstanceKey): (outcome: Outcome) => void {
    const service = this.serviceOf(key);
    const tally = this.tallyOf(service, key);
    service.sums.picks++;
    tally.start();
    let released = false;
    return (outcome) => {
      if (released) return;
      released = outcome.released !== false;
      record(outcome, service.sums, tally);
    };
  }

  /** Somebody reports on a pick, which another replica may have made. */
  finished(key: InstanceKey, outcome: Outcome): void {
    const service = this.serviceOf(key);
    record(outcome, service.sums, this.tallyOf(service, key));
  }

  stats({ serviceName, serviceId }: InstanceKey): InstanceStats {
    return this.services.get(serviceName)?.instances.get(serviceId) ?? NOTHING;
  }

  totals(serviceName: string): ServiceTotals {
    const { picks, requests, errors, averageMs, errorRate } = this.services.get(serviceName)?.sums ?? NOTHING;
    return { serviceName, picks, requests, errors, averageMs, errorRate };
  }

  /** The instance is gone. Its calls stay in its service's totals until the service is gone as well. */
  forget({ serviceName, serviceId }: InstanceKey): void {
    const service = this.services.get(serviceName);
    service?.instances.delete(serviceId);
    if (service?.instances.size === 0) this.services.delete(serviceName);
  }

  private serviceOf({ serviceName }: InstanceKey): ServiceRecord {
    let service = this.services.get(serviceName);
    if (!service) this.services.set(serviceName, (service = { sums: new Sums(), instances: new Map() }));
    return service;
  }

  private tallyOf({ instances }: ServiceRecord, { serviceId }: InstanceKey): Tally {
    let tally = instances.get(serviceId);
    if (!tally) instances.set(serviceId, (tally = new Tally(this.now, this.forgetAfterMs)));
    return tally;
  }
}

/** A report of how a call went, that it is over, or both; only an explicit `released: false` leaves it open. */
function record({ ok, durationMs, released }: Outcome, sums: Sums, tally: Tally): void {
  if (released !== false) tally.end();
  // One NaN would spoil a sum for good.
  const ms = durationMs !== undefined && durationMs >= 0 && durationMs < Infinity ? durationMs : undefined;
  if (ok === undefined && ms === undefined) return;
  sums.add(ok !== false, ms);
  tally.add(ok !== false, ms);
}
