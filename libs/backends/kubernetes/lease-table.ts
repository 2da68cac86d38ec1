import {
  BackendError,
  keyOf,
  type InstanceKey,
  type Logger,
  type ServiceInstance,
  type Version,
  type Vitals,
} from '#core';
import type { LeaseForm } from './leases.js';
import { nameOf, type Lease } from './objects.js';
import type { View } from './view.js';

/** The Leases of what is registered through us, brought into the view as they change. */
export class LeaseTable {
  private readonly readable = new Map<string, ServiceInstance>();
  private readonly byService = new Map<string, Map<string, ServiceInstance>>();
  /** What this process alone has heard, by the Lease's name. */
  private readonly vitals = new Map<string, Vitals>();

  constructor(
    private readonly form: LeaseForm,
    private readonly view: View,
    private readonly logger: Logger,
    private readonly serviceMoved: (serviceName: string) => void,
  ) {}

  changed(before: Lease | undefined, after: Lease | undefined, version: Version): void {
    const name = nameOf((after ?? before)!);
    const known = this.readable.get(name);
    const removal = after && this.form.removalOf(after);
    if (!after || removal) {
      if (known) this.leave(name, known, version, removal?.cause ?? 'unknown', removal?.actor);
      return;
    }
    const instance = this.form.instanceOf(after);
    if (instance instanceof BackendError) {
      this.logger.warn({ lease: name, reason: instance.message }, 'a Lease cannot be read by this release: left out');
      if (known) this.leave(name, known, version, 'unknown');
      return;
    }
    this.enter(name, { ...instance, vitals: this.newest(name, instance.vitals) });
    if (known?.version !== instance.version) this.serviceMoved(instance.serviceName);
  }

  /** A heartbeat has come to this process. */
  heard(name: string, vitals: Vitals): void {
    this.vitals.set(name, vitals);
    const instance = this.readable.get(name);
    if (instance) this.enter(name, { ...instance, vitals });
  }

  instance(name: string): ServiceInstance | undefined {
    return this.readable.get(name);
  }

  vitalsOf(name: string): Vitals {
    return this.readable.get(name)?.vitals ?? this.vitals.get(name) ?? {};
  }

  of(serviceName: string): Iterable<ServiceInstance> {
    return this.byService.get(serviceName)?.values() ?? [];
  }

  get serviceNames(): Iterable<string> {
    return this.byService.keys();
  }

  clear(): void {
    this.readable.clear();
    this.byService.clear();
    this.vitals.clear();
  }

  private enter(name: string, instance: ServiceInstance): void {
    this.readable.set(name, instance);
    const service = this.byService.get(instance.serviceName) ?? new Map<string, ServiceInstance>();
    service.set(instance.serviceId, instance);
    this.byService.set(instance.serviceName, service);
    this.view.put(instance);
  }

  private leave(
    name: string,
    instance: ServiceInstance,
    version: Version,
    cause: Parameters<View['remove']>[2],
    actor?: string,
  ): void {
    this.readable.delete(name);
    this.vitals.delete(name);
    const { serviceName, serviceId }: InstanceKey = keyOf(instance);
    const service = this.byService.get(serviceName);
    service?.delete(serviceId);
    if (service?.size === 0) this.byService.delete(serviceName);
    this.view.remove({ serviceName, serviceId }, version, cause, actor);
    this.serviceMoved(serviceName);
  }

  /** What somebody else has written of a heartbeat may be older than what we have heard, or newer. */
  private newest(name: string, written: Vitals): Vitals {
    const heard = this.vitals.get(name);
    if (!heard) return written;
    return { ...heard, lastHeartbeat: Math.max(heard.lastHeartbeat ?? 0, written.lastHeartbeat ?? 0) };
  }
}
