import { matches } from '#core';
import { Balancer } from '#balancing';
import { systemClock, type Clock } from './clock.js';
import { NotReadyError } from './errors.js';
import { Follower } from './discovery/follower.js';
import { SnapshotKeeper } from './discovery/keeper.js';
import { filterOf, Picker, type Filter, type Picked, type PickOptions } from './discovery/picker.js';
import { SnapshotFile } from './discovery/snapshot-file.js';
import { LocalView, type ViewSource } from './discovery/view.js';
import { ViewListener } from './discovery/view-listener.js';
import type { Instance } from './instance.js';
import type { ClientOptions } from './options.js';
import { Registration } from './registration/registration.js';
import type { RegistrationRequest } from './registration/request.js';
import { Transport } from './transport.js';

/**
 * Discovers from a view of its own, which one watch feeds from the first `ready()` on, and registers. What it has
 * open ends with `close()`.
 */
export class DiscoveryClient {
  /** Whoever works with this client goes by it too. */
  readonly clock: Clock;
  private readonly transport: Transport;
  private readonly view: LocalView;
  private readonly picker: Picker;
  private readonly registrations = new Set<Registration>();
  private readonly closing = new AbortController();
  private keeper: SnapshotKeeper | undefined;
  private following: Promise<void> | undefined;

  /** @throws RangeError without a server; UnknownStrategyError of a strategy's name. */
  constructor(private readonly options: ClientOptions) {
    this.clock = options.clock ?? systemClock;
    const balancer = new Balancer({ defaultStrategy: options.strategy, now: () => this.clock.now() });
    this.transport = new Transport(options);
    this.view = new LocalView((key) => balancer.recorder.forget(key));
    this.picker = new Picker(this.view, balancer, { region: options.region, zone: options.zone });
  }

  /**
   * Resolves once there is something to answer from: a server's word, or where none answers what was kept of it.
   * @throws The signal's reason; NotReadyError when it is closed.
   */
  async ready(signal?: AbortSignal): Promise<void> {
    this.following ??= this.follow();
    const ended = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    while (this.view.source === undefined && !ended.aborted) await this.view.changed(ended);
    signal?.throwIfAborted();
    if (this.closing.signal.aborted) throw new NotReadyError();
  }

  /** Of what instances and picks are; undefined before there is anything. */
  get source(): ViewSource | undefined {
    return this.view.source;
  }

  /** Names of all services. @throws NotReadyError */
  services(): readonly string[] {
    return this.known().names;
  }

  /** The instances of a service, sorted by id; none when there is no such service. @throws NotReadyError */
  instances(service: string, filter?: Filter): readonly Instance[] {
    const instances = this.known().instances(service);
    if (!filter) return instances;
    const wish = filterOf(filter);
    return instances.filter((instance) => matches(instance, wish));
  }

  /** One that is fit to be called. @throws NotReadyError, NoInstanceError, UnknownStrategyError */
  pick(service: string, options: PickOptions = {}): Picked {
    this.known();
    return this.picker.pick(service, options);
  }

  /** The instances of a service as they are, then each time that they are others. Ends with the signal, or the client. */
  async *watch(service: string, signal?: AbortSignal): AsyncGenerator<readonly Instance[], void, undefined> {
    const ended = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    await this.ready(signal);
    let told: readonly Instance[] | undefined;
    while (!ended.aborted) {
      const now = this.view.instances(service);
      if (now === told) {
        await this.view.changed(ended);
      } else {
        told = now;
        yield now;
      }
    }
  }

  /**
   * Registers an instance and keeps it registered, until it leaves or this client is closed.
   * @throws RefusedError at once; where no server answers, it is tried for as long as the signal lets it.
   */
  async register(request: RegistrationRequest, signal?: AbortSignal): Promise<Registration> {
    const registration = await Registration.start(this.transport, request, {
      signal,
      clock: this.clock,
      onError: (error) => this.options.onError?.(error),
      onEnd: (self) => this.registrations.delete(self),
    });
    this.registrations.add(registration);
    return registration;
  }

  /** Ends the watch, and deregisters what is still registered. Idempotent. */
  async close(): Promise<void> {
    this.closing.abort(new NotReadyError());
    await this.following;
    const leaving = [...this.registrations].map((each) =>
      each.deregister().catch((error: unknown) => this.options.onError?.(error as Error)),
    );
    await Promise.all([...leaving, this.keeper?.close()]);
  }

  private known(): LocalView {
    if (this.view.source === undefined) throw new NotReadyError();
    return this.view;
  }

  private follow(): Promise<void> {
    const { snapshotFile, silenceMs, onError } = this.options;
    if (snapshotFile !== undefined)
      this.keeper = new SnapshotKeeper(this.view, new SnapshotFile(snapshotFile), (error) => onError?.(error));
    const listener = new ViewListener(
      this.view,
      (error) => onError?.(error),
      () => this.keeper?.restore(),
    );
    const follower = new Follower(this.transport, listener, { silenceMs, clock: this.clock });
    return follower.run(this.closing.signal);
  }
}
