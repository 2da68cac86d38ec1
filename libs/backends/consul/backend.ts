import { setMaxListeners } from 'node:events';
import {
  asBackendError,
  BackendError,
  Watches,
  type BackendCapabilities,
  type BackendContext,
  type ConfigStore,
  type InstanceKey,
  type Registrar,
  type RegistryBackend,
  type RegistryChange,
  type RegistryEvent,
  type RegistrySnapshot,
} from '#core';
import { ConsulClient } from './client.js';
import { ConsulConfigStore } from './config-store.js';
import type { ConnectionOptions } from './connection.js';
import { adviceOn } from './errors.js';
import { Follower } from './follower.js';
import { ForeignInstances } from './foreign.js';
import { Layout } from './layout.js';
import { Leases } from './leases.js';
import type { Parts } from './parts.js';
import { Reader } from './reader.js';
import { ConsulRegistrar } from './registrar.js';
import { recordIn, View } from './view.js';
import { Writer } from './writer.js';

/** Then it counts as away, and is waited for. */
const START_MS = 8_000;

export interface ConsulOptions extends ConnectionOptions {
  /** Of our folder in the KV store and of our nodes in the catalog. */
  readonly name: string;
}

/** Our instances in Consul's KV store, shown in its catalog; and what others have put into the catalog. */
export class ConsulBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities = {
    type: 'consul',
    register: 'native',
    leases: 'emulated',
    maintenance: 'emulated',
    removalCauses: 'emulated',
    configuration: 'emulated',
    durable: true,
    replicas: true,
    notes: [
      "What was registered with Consul's own tools is shown here, and can be changed with those alone.",
      'A heartbeat that changes nothing is written at most once in a third of the TTL.',
    ],
  };
  readonly registrar: Registrar;
  readonly configStore: ConfigStore;
  private readonly parts: Parts;
  private readonly reader: Reader;
  private readonly follower: Follower;
  private readonly leases: Leases;
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor({ name, ...connection }: ConsulOptions, { logger, now }: BackendContext) {
    setMaxListeners(0, this.stopping.signal);
    const client = new ConsulClient(connection);
    const layout = new Layout(name);
    const watches = new Watches(() => this.list());
    const tell = (change: RegistryChange) => watches.tell(change);
    const view = new View(layout, tell, logger);
    const taken = (key: InstanceKey) => recordIn(view.get(key)) !== undefined;
    const foreign = new ForeignInstances({ client, layout, tell, now, taken });
    this.parts = { client, layout, view, foreign, writer: new Writer(client), watches, logger, now };
    this.configStore = new ConsulConfigStore(client, this.parts.writer, name);
    this.reader = new Reader(this.parts);
    this.follower = new Follower(this.parts, this.reader);
    this.leases = new Leases(this.parts, this.reader, () => this.follower.live);
    this.registrar = new ConsulRegistrar(this.parts, this.reader, (known) => this.leases.mayWait(known));
  }

  async start(): Promise<void> {
    const { signal } = this.stopping;
    try {
      await this.follower.enter(AbortSignal.any([signal, AbortSignal.timeout(START_MS)]));
    } catch (cause) {
      const error = asBackendError(cause);
      const advice = adviceOn(error);
      if (advice !== undefined) throw new BackendError(error.code, `${error.message} (${advice})`, { cause });
    }
    this.running = Promise.all([this.follower.run(signal), this.leases.run(signal)]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.parts.watches.end();
    this.parts.client.stop();
    await this.running;
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.parts.client.ping(this.parts.layout.registry, signal);
  }

  async list(signal: AbortSignal = this.stopping.signal): Promise<RegistrySnapshot> {
    const { view, foreign } = this.parts;
    const { incarnation } = this.follower;
    const { asOf } = await this.reader.read(signal).catch((error: unknown) => {
      throw asBackendError(error);
    });
    if (incarnation !== this.follower.incarnation)
      throw new BackendError('UNAVAILABLE', 'consul: its state has changed');
    return { instances: [...view.instances(), ...foreign.instances()], asOf: String(asOf), incarnation };
  }

  watch(signal: AbortSignal): AsyncIterable<RegistryEvent> {
    return this.parts.watches.watch(signal);
  }
}
