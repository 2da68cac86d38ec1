import type { Catalog, CatalogChange } from '#catalog';
import type { Census } from '../metrics/census.js';
import type { Certificates } from '../tls/certificates.js';
import { alertKey, type Alert, type Alerts } from './alerts.js';

const LOOK_EVERY_MS = 1_000;

/** What is wrong at this moment. */
export type Condition = () => Iterable<Alert>;

/**
 * Looks once a second for what should not be, and has it told when it is found twice: a service whose first instance
 * is just about to pass is no alarm.
 */
export class Conditions {
  private suspected = new Map<string, Alert>();
  private raised = new Map<string, Alert>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly alerts: Alerts,
    private readonly conditions: readonly Condition[],
  ) {}

  start(): void {
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  look(): void {
    const found = new Map<string, Alert>();
    for (const condition of this.conditions) for (const alert of condition()) found.set(alertKey(alert), alert);
    for (const [key, alert] of this.raised) if (!found.has(key)) this.end(key, alert);
    for (const [key, alert] of found) if (this.suspected.has(key) && !this.raised.has(key)) this.begin(key, alert);
    this.suspected = found;
  }

  private begin(key: string, alert: Alert): void {
    this.raised.set(key, alert);
    this.alerts.raise(alert);
  }

  private end(key: string, alert: Alert): void {
    this.raised.delete(key);
    this.alerts.clear(alert);
  }
}

export function registryAway(catalog: Catalog): Condition {
  return function* () {
    const { source, reason } = catalog.freshnessNow();
    if (source !== 'live') yield { name: 'registry_away', details: { source: source ?? 'none', reason } };
  };
}

export function servicesUnhealthy(census: Census): Condition {
  return function* () {
    for (const serviceName of census.servicesWithoutHealthy) yield { name: 'service_unhealthy', serviceName };
  };
}

/** What is left of it is less than so much of its life, and less than so many milliseconds: renewal is overdue. */
const LAST_SHARE = 0.2;
const LAST_MS = 14 * 86_400_000;

/** @param now Milliseconds since the epoch. */
export function certificateExpiring(certificates: Certificates | undefined, now: () => number = Date.now): Condition {
  return function* () {
    if (!certificates) return;
    const { from, until } = certificates.validity;
    if (until - now() >= Math.min(LAST_MS, LAST_SHARE * (until - from))) return;
    yield { name: 'certificate_expiring', details: { expires_at: new Date(until).toISOString() } };
  };
}

/** Which services have instances that are held. To look at all instances every second would take too long. */
export class HeldServices {
  private readonly names = new Set<string>();

  constructor(private readonly catalog: Catalog) {}

  see(change: CatalogChange): void {
    if (change.kind === 'upsert' && change.held) this.names.add(change.instance.serviceName);
  }

  *condition(): Iterable<Alert> {
    for (const serviceName of this.names) {
      const held = this.catalog.instances(serviceName)?.filter(({ hold }) => hold !== undefined).length ?? 0;
      if (held > 0) yield { name: 'mass_loss_held', serviceName, details: { held } };
      else this.names.delete(serviceName);
    }
  }
}
