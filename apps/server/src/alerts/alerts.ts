import type { Logger, ServiceInstance } from '#core';
import { Counts, type Sample } from '#telemetry';

/** What an operator is told of, with the words for the log. */
export const ALERTS = {
  critical_load: 'critical load',
  service_unhealthy: 'a service has no healthy instance',
  registry_away: 'the registry is away',
  mass_loss_held: 'instances of a service are held after a mass loss',
  certificate_expiring: 'the certificate is about to expire',
} as const;
export type AlertName = keyof typeof ALERTS;

export interface Alert {
  readonly name: AlertName;
  /** What it is about; absent: the registry as a whole. */
  readonly serviceName?: string;
  readonly serviceId?: string;
  /** Members for whoever is told, in the spelling of the API. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface AlertChange extends Alert {
  readonly state: 'raised' | 'cleared';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** @param instance The one that it is about. */
export type AlertListener = (change: AlertChange, instance?: ServiceInstance) => void;

/** What is wrong now. Each alert is told once when it is raised, and once when it is over. */
export class Alerts {
  readonly raisedSoFar = new Counts('alert');
  private readonly active = new Map<string, Alert>();

  constructor(
    private readonly logger: Logger,
    private readonly listener: AlertListener,
    private readonly now: () => number = Date.now,
  ) {}

  raise(alert: Alert, instance?: ServiceInstance): void {
    const key = alertKey(alert);
    if (this.active.has(key)) return;
    this.active.set(key, alert);
    this.raisedSoFar.add(alert.name);
    this.logger.warn(fieldsOf(alert), ALERTS[alert.name]);
    this.listener({ ...alert, state: 'raised', at: this.now() }, instance);
  }

  clear(about: Alert): void {
    const key = alertKey(about);
    const alert = this.active.get(key);
    if (!alert) return;
    this.active.delete(key);
    this.logger.info(fieldsOf(alert), `no longer: ${ALERTS[alert.name]}`);
    this.listener({ ...alert, state: 'cleared', at: this.now() });
  }

  *samples(): Iterable<Sample> {
    const counts = new Map<AlertName, number>();
    for (const { name } of this.active.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const alert of Object.keys(ALERTS) as AlertName[]) yield [{ alert }, counts.get(alert) ?? 0];
  }
}

export function alertKey({ name, serviceName = '', serviceId = '' }: Alert): string {
  return `${name} ${serviceName}/${serviceId}`;
}

function fieldsOf({ name, serviceName, serviceId, details }: Alert): object {
  return { alert: name, serviceName, serviceId, ...details };
}
