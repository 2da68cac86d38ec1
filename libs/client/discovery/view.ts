import type { InstanceKey } from '#core';
import type { Instance } from '../instance.js';

/** `live`: told by a server as it happens; `stale`: nobody tells any more; `snapshot`: of an earlier process. */
export type ViewSource = 'live' | 'stale' | 'snapshot';

const NONE: readonly Instance[] = [];

/** What is known of all services. An outage leaves it as it is. */
export class LocalView {
  source: ViewSource | undefined;
  private services = new Map<string, Map<string, Instance>>();
  /** Sorted by id; the same array until the service changes, so that strategies may keep what they make of it. */
  private readonly sorted = new Map<string, readonly Instance[]>();
  private readonly listeners = new Set<() => void>();

  /** @param forget Told of every instance that has gone. */
  constructor(private readonly forget: (key: InstanceKey) => void) {}

  instances(service: string): readonly Instance[] {
    const name = service.toLowerCase();
    let sorted = this.sorted.get(name);
    if (sorted) return sorted;
    const known = this.services.get(name);
    if (!known) return NONE;
    sorted = [...known.values()].sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1));
    this.sorted.set(name, sorted);
    return sorted;
  }

  all(): readonly Instance[] {
    return [...this.services.values()].flatMap((instances) => [...instances.values()]);
  }

  get names(): readonly string[] {
    return [...this.services.keys()].sort();
  }

  /** This is all there is. */
  replace(instances: readonly Instance[]): void {
    const before = this.services;
    this.services = new Map();
    for (const instance of instances) this.put(instance);
    this.sorted.clear();
    for (const known of before.values())
      for (const each of known.values())
        if (!this.services.get(each.serviceName)?.has(each.serviceId)) this.forget(each);
  }

  upsert(instance: Instance): void {
    this.put(instance);
    this.sorted.delete(instance.serviceName);
  }

  remove(key: InstanceKey): void {
    const known = this.services.get(key.serviceName);
    if (!known?.delete(key.serviceId)) return;
    if (known.size === 0) this.services.delete(key.serviceName);
    this.sorted.delete(key.serviceName);
    this.forget(key);
  }

  /** Called after every change, of source too. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(source: ViewSource): void {
    this.source = source;
    for (const listener of [...this.listeners]) listener();
  }

  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const unsubscribe = this.subscribe(done);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }

  private put(instance: Instance): void {
    let known = this.services.get(instance.serviceName);
    if (!known) {
      known = new Map<string, Instance>();
      this.services.set(instance.serviceName, known);
    }
    known.set(instance.serviceId, instance);
  }
}
