import { INSTANCE_STATUSES } from '#core';
import type { Sample } from '#telemetry';
import type { Census, CensusListener } from './census.js';

const OTHER = 'other';

/** How often something has happened to each service that has series of its own, and to the others together. */
export class ServiceCounter {
  private readonly own = new Map<string, { count: number }>();
  private others = 0;

  add(serviceName: string): void {
    const own = this.own.get(serviceName);
    if (own) own.count++;
    else this.others++;
  }

  begin(serviceName: string): void {
    this.own.set(serviceName, { count: 0 });
  }

  end(serviceName: string): void {
    this.own.delete(serviceName);
  }

  *samples(): Iterable<Sample> {
    for (const [service_name, { count }] of this.own) yield [{ service_name }, count];
    yield [{ service_name: OTHER }, this.others];
  }
}

/**
 * Which services have series of their own: the first that come, so many, each for as long as it is there. A place that
 * becomes free is for the next that comes. The others are one series together, so that no number of services makes
 * `/metrics` larger than that.
 */
export class ServiceSeries implements CensusListener {
  readonly registrations = new ServiceCounter();
  readonly discoveries = new ServiceCounter();
  private readonly names = new Set<string>();

  constructor(
    private readonly census: Census,
    private readonly most: number,
  ) {
    census.listen(this);
  }

  came(serviceName: string): void {
    if (this.names.size >= this.most || serviceName === OTHER) return;
    this.names.add(serviceName);
    for (const counter of this.counters()) counter.begin(serviceName);
  }

  went(serviceName: string): void {
    this.names.delete(serviceName);
    for (const counter of this.counters()) counter.end(serviceName);
  }

  /** Instances now, by service and status. */
  *instances(): Iterable<Sample> {
    const others = { ...this.census.total };
    for (const service_name of this.names) {
      const counts = this.census.of(service_name);
      for (const status of INSTANCE_STATUSES) {
        others[status] -= counts[status];
        yield [{ service_name, status }, counts[status]];
      }
    }
    for (const status of INSTANCE_STATUSES) yield [{ service_name: OTHER, status }, others[status]];
  }

  private counters(): readonly ServiceCounter[] {
    return [this.registrations, this.discoveries];
  }
}
