import { INSTANCE_STATUSES, isHealthy, statusOf, type InstanceStatus, type ServiceInstance } from '#core';
import type { CatalogChange } from '#catalog';

export type StatusCounts = Readonly<Record<InstanceStatus, number>>;

/** Told of each service when it comes and when it goes. */
export interface CensusListener {
  came(serviceName: string): void;
  went(serviceName: string): void;
}

/**
 * How many instances each service has, by status. Counted as they change: to look at all of them at every scrape would
 * hold up everybody. Our own replicas are no part of it.
 */
export class Census {
  readonly total = nobody();
  private readonly services = new Map<string, Record<InstanceStatus, number>>();
  private readonly unhealthy = new Set<string>();
  private readonly listeners: CensusListener[] = [];

  constructor(private readonly ownName: string) {}

  get serviceCount(): number {
    return this.services.size;
  }

  /** Services that have instances, and none that is healthy. */
  get servicesWithoutHealthy(): ReadonlySet<string> {
    return this.unhealthy;
  }

  /** Of healthy ones among all; 1 while there is none, as nothing is wrong then. */
  get healthyRatio(): number {
    const all = sizeOf(this.total);
    return all === 0 ? 1 : healthyOf(this.total) / all;
  }

  of(serviceName: string): StatusCounts {
    return this.services.get(serviceName) ?? nobody();
  }

  listen(listener: CensusListener): void {
    this.listeners.push(listener);
  }

  see(change: CatalogChange): void {
    if (change.kind === 'vitals' || change.kind === 'freshness') return;
    const { serviceName } = change.instance;
    if (serviceName === this.ownName) return;
    const counts = this.services.get(serviceName) ?? this.begin(serviceName);
    const before = change.kind === 'upsert' ? change.before : change.instance;
    if (before) this.count(counts, before, -1);
    if (change.kind === 'upsert') this.count(counts, change.instance, 1);
    if (sizeOf(counts) === 0) this.end(serviceName);
    else if (healthyOf(counts) > 0) this.unhealthy.delete(serviceName);
    else this.unhealthy.add(serviceName);
  }

  private count(counts: Record<InstanceStatus, number>, instance: ServiceInstance, by: 1 | -1): void {
    const status = statusOf(instance);
    counts[status] += by;
    this.total[status] += by;
  }

  private begin(serviceName: string): Record<InstanceStatus, number> {
    const counts = nobody();
    this.services.set(serviceName, counts);
    for (const listener of this.listeners) listener.came(serviceName);
    return counts;
  }

  private end(serviceName: string): void {
    this.services.delete(serviceName);
    this.unhealthy.delete(serviceName);
    for (const listener of this.listeners) listener.went(serviceName);
  }
}

function nobody(): Record<InstanceStatus, number> {
  return { passing: 0, warning: 0, critical: 0, maintenance: 0 };
}

function sizeOf(counts: StatusCounts): number {
  return INSTANCE_STATUSES.reduce((sum, status) => sum + counts[status], 0);
}

function healthyOf(counts: StatusCounts): number {
  return INSTANCE_STATUSES.reduce((sum, status) => (isHealthy(status) ? sum + counts[status] : sum), 0);
}
