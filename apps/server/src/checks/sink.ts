import type { HealthStatus, InstanceKey, ProbeResult, ServiceInstance } from '#core';
import type { Catalog } from '#catalog';
import type { HealthSink } from '#health';
import type { Timeline } from '../timeline/timeline.js';
import type { Registrations } from '../registration/registrations.js';

const ACTOR = 'health-monitor';

/** The monitor's findings, as writes like anybody's. */
export class RegistrySink implements HealthSink {
  constructor(
    private readonly registrations: Registrations,
    private readonly catalog: Catalog,
    private readonly timeline: Timeline,
  ) {}

  async setStatus(instance: ServiceInstance, status: HealthStatus, { output }: ProbeResult): Promise<void> {
    await this.timeline.because(instance, output, () => this.registrations.setProbed(instance, status, ACTOR));
  }

  async evict(instance: ServiceInstance): Promise<void> {
    await this.registrations.evict(instance, ACTOR);
  }

  observe(key: InstanceKey, vitals: { lastHealthCheck: number; loadPercentage?: number }): void {
    this.catalog.observe(key, vitals);
  }
}
