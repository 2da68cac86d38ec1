import { BackendError, Backoff, pause, sameValue, Turns, type Logger, type ServiceInstance } from '#core';
import type { Client } from './client.js';
import { ApiError, hasStatus } from './errors.js';
import { isServiceName } from './names.js';
import {
  ENDPOINT_SLICES,
  nameOf,
  pathOf,
  SERVICES,
  type EndpointSlice,
  type Resource,
  type Service,
} from './objects.js';
import type { OurSlices } from './our-slices.js';
import { isOurService, isOurSlice, serviceFor, slicesFor, type Projection } from './projection.js';
import type { Reflector } from './reflector.js';

/** Changes that come together are written together. */
const GATHER_MS = 50;
/** How often everything is compared, for what another replica has left undone. */
const COMPARE_MS = 10_000;
const AT_ONCE = 4;
const STOP_MS = 1_000;
/** For what a service is, whenever it is tried: it is again at the next comparison, and holds up no other. */
const REFUSED = [400, 403, 413, 422];
/** To make a Service that others make and delete at the same time. */
const ATTEMPTS = 5;

export interface ProjectorParts {
  readonly services: () => Reflector<Service>;
  readonly slices: () => Reflector<EndpointSlice>;
  readonly ourSlices: () => OurSlices;
  readonly instancesOf: (serviceName: string) => Iterable<ServiceInstance>;
  readonly serviceNames: () => Iterable<string>;
  readonly isLive: () => boolean;
}

/**
 * Keeps a Service and its EndpointSlices like what is registered, for kube-proxy and DNS. Only the Leases are
 * the truth: this may come late, and any replica may do it. What is not ours is never written.
 */
export class Projector {
  private readonly due = new Set<string>();
  /** Told as a warning already. */
  private readonly refused = new Set<string>();
  private readonly turns = new Turns();
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff(200, 5_000);
  private running: Promise<void> = Promise.resolve();
  private wake: (() => void) | undefined;

  constructor(
    private readonly client: Client,
    private readonly namespace: string,
    private readonly manager: string,
    private readonly parts: ProjectorParts,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Writes what is due first: a server that stops has just left itself, and may be the last. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    await this.running;
    if (this.parts.isLive()) await this.work(AbortSignal.timeout(STOP_MS));
  }

  /** Something of it has changed. */
  touch(serviceName: string): void {
    this.due.add(serviceName);
    this.wake?.();
  }

  /**
   * Makes the Service of this name ours, where Kubernetes can have one.
   * @throws BackendError `CONFLICT` when there is one that is somebody else's.
   */
  claim(serviceName: string, port: number, signal?: AbortSignal): Promise<void> {
    if (!isServiceName(serviceName)) return Promise.resolve();
    const known = this.known(serviceName);
    if (known) return this.admit(known, serviceName);
    const make = async () => {
      const there = this.known(serviceName) ?? (await this.create(serviceName, port, signal));
      if (there) await this.admit(there, serviceName);
    };
    return this.turns.take(serviceName, make, signal);
  }

  private known(serviceName: string): Service | undefined {
    return this.parts.services().objects.get(`${this.namespace}/${serviceName}`);
  }

  private async admit(service: Service, serviceName: string): Promise<void> {
    if (isOurService(service, this.manager)) return;
    throw new BackendError('CONFLICT', `there is a Service ${serviceName} in Kubernetes that is not ours to write`);
  }

  /** The one there is, or a new one. Undefined: Kubernetes will not have it, and the registration stands without. */
  private async create(serviceName: string, port: number, signal?: AbortSignal): Promise<Service | undefined> {
    const wanted = serviceFor(this.projection(serviceName), port);
    for (let attempt = 1; ; attempt++) {
      try {
        const service = await this.client.create<Service>(pathOf(SERVICES, this.namespace), wanted, signal);
        this.parts.services().observe(service);
        return service;
      } catch (error) {
        const taken = hasStatus(error, 409) ? await this.read(serviceName, signal) : undefined;
        if (taken) return taken;
        if (!(error instanceof ApiError)) throw error;
        // It went between the two.
        if (error.status === 409 && attempt < ATTEMPTS) continue;
        this.logger.warn({ service: serviceName, reason: error.message }, 'no Service in Kubernetes for it');
        return undefined;
      }
    }
  }

  private async read(serviceName: string, signal?: AbortSignal): Promise<Service | undefined> {
    try {
      return await this.client.get<Service>(pathOf(SERVICES, this.namespace, serviceName), signal);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let compareAt = performance.now() + COMPARE_MS;
    while (!signal.aborted) {
      await this.touched(compareAt - performance.now());
      await pause(GATHER_MS, signal);
      if (performance.now() >= compareAt) {
        compareAt = performance.now() + COMPARE_MS * (0.75 + Math.random() / 2);
        for (const name of this.everything()) this.due.add(name);
      }
      if (!this.parts.isLive() || !(await this.work(signal))) await this.backoff.pause(signal);
      else this.backoff.reset();
    }
  }

  private async touched(mostMs: number): Promise<void> {
    if (this.due.size > 0 || mostMs <= 0 || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, mostMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }

  private everything(): Set<string> {
    const ofServices = [...this.parts.services().objects.values()].filter((each) => isOurService(each, this.manager));
    return new Set([
      ...this.parts.serviceNames(),
      ...ofServices.map(({ metadata }) => metadata.name),
      ...this.parts.ourSlices().serviceNames,
    ]);
  }

  /** False when some of it has to be tried again. */
  private async work(signal: AbortSignal): Promise<boolean> {
    let well = true;
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (let [name] = this.due; name !== undefined && !signal.aborted; [name] = this.due) {
        this.due.delete(name);
        try {
          await this.reconcile(name, signal);
          this.refused.delete(name);
        } catch (error) {
          const fields = { service: name, reason: String(error) };
          if (hasStatus(error, ...REFUSED)) {
            const level = this.refused.has(name) ? 'debug' : 'warn';
            this.logger[level](fields, 'Kubernetes does not take its EndpointSlices');
            this.refused.add(name);
            continue;
          }
          well = false;
          this.due.add(name);
          this.logger.debug(fields, 'its EndpointSlices are tried again');
          return;
        }
      }
    });
    await Promise.all(workers);
    return well;
  }

  private async reconcile(serviceName: string, signal: AbortSignal): Promise<void> {
    if (!isServiceName(serviceName)) return;
    const instances = [...this.parts.instancesOf(serviceName)];
    const [first] = instances;
    if (!first) return this.withdraw(serviceName, signal);
    const service = this.known(serviceName) ?? (await this.create(serviceName, first.port, signal));
    if (!service || !isOurService(service, this.manager)) return;
    const wanted = slicesFor(this.projection(serviceName), instances);
    const names = new Set(wanted.map(nameOf));
    for (const slice of wanted) await this.put(slice, signal);
    for (const slice of this.parts.ourSlices().of(serviceName))
      if (!names.has(nameOf(slice))) await this.remove(ENDPOINT_SLICES, slice, signal);
  }

  private async withdraw(serviceName: string, signal: AbortSignal): Promise<void> {
    for (const slice of this.parts.ourSlices().of(serviceName)) await this.remove(ENDPOINT_SLICES, slice, signal);
    const service = this.known(serviceName);
    if (service && isOurService(service, this.manager)) await this.remove(SERVICES, service, signal);
  }

  private async put(wanted: EndpointSlice, signal: AbortSignal): Promise<void> {
    const known = this.parts.slices().objects.get(nameOf(wanted));
    if (known && !isOurSlice(known, this.manager)) return;
    if (known && sameValue(picture(known), picture(wanted))) return;
    const { metadata } = wanted;
    const { name, uid, resourceVersion } = known?.metadata ?? {};
    const slice = { ...wanted, metadata: { ...metadata, uid, resourceVersion } };
    const path = pathOf(ENDPOINT_SLICES, this.namespace, name);
    const written = known
      ? await this.client.replace<EndpointSlice>(path, slice, signal)
      : await this.client.create<EndpointSlice>(path, slice, signal);
    this.parts.slices().observe(written);
  }

  private async remove(resource: Resource, object: Service | EndpointSlice, signal: AbortSignal): Promise<void> {
    try {
      await this.client.remove(pathOf(resource, this.namespace, object.metadata.name), object, signal);
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
    }
  }

  private projection(serviceName: string): Projection {
    return { manager: this.manager, namespace: this.namespace, serviceName };
  }
}

/** What is to be seen of a slice. */
function picture({ endpoints, ports, addressType }: EndpointSlice): object {
  return { endpoints, ports, addressType };
}
