import {
  abortable,
  asBackendError,
  BackendError,
  type BackendCapabilities,
  type BackendContext,
  type ConfigStore,
  type Registrar,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
  type ServiceInstance,
} from '#core';
import type { Access } from './client.js';
import { EtcdConfigStore } from './config-store.js';
import { Connection } from './connection.js';
import type { Endpoint } from './endpoints.js';
import { Expiry } from './expiry.js';
import { Follower } from './follower.js';
import { Layout } from './layout.js';
import { Leases } from './leases.js';
import { EtcdRegistrar } from './registrar.js';
import { Transactions } from './transactions.js';
import { View } from './view.js';

export interface EtcdOptions extends Access {
  readonly endpoints: readonly Endpoint[];
  /** Ends with a slash. */
  readonly prefix: string;
}

/** etcd: a key an instance, a lease each, one watch, and the view that it makes. */
export class EtcdBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities = {
    type: 'etcd',
    register: 'native',
    leases: 'native',
    maintenance: 'emulated',
    removalCauses: 'emulated',
    configuration: 'emulated',
    durable: true,
    replicas: true,
    notes: [
      'Leases are in whole seconds, rounded up.',
      'What is deleted with other tools has gone for an unknown cause.',
    ],
  };
  readonly registrar: Registrar;
  readonly configStore: ConfigStore;
  private readonly layout: Layout;
  private readonly connection = new Connection();
  private readonly view: View;
  private readonly follower: Follower;
  private readonly expiry: Expiry;

  constructor({ endpoints, prefix, ...access }: EtcdOptions, { logger, now }: BackendContext) {
    this.layout = new Layout(prefix);
    this.configStore = new EtcdConfigStore(this.connection, prefix);
    this.view = new View(logger);
    this.follower = new Follower({ endpoints, access, layout: this.layout }, this.connection, this.view);
    const transactions = new Transactions(this.connection, this.layout);
    const leases = new Leases(this.connection, this.view, logger);
    this.expiry = new Expiry(this.connection, this.view, transactions, logger);
    this.registrar = new EtcdRegistrar({
      connection: this.connection,
      view: this.view,
      layout: this.layout,
      transactions,
      leases,
      now,
    });
  }

  async start(): Promise<void> {
    try {
      await this.follower.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.expiry.start();
  }

  async stop(): Promise<void> {
    this.view.watches.end();
    // What is asked at the moment ends when the connection is closed.
    await Promise.all([this.expiry.stop(), this.follower.stop()]);
    this.connection.lost(new BackendError('UNAVAILABLE', 'the registry has stopped'));
  }

  async ping(signal: AbortSignal): Promise<void> {
    const { client } = this.connection;
    const answer = client.position(this.layout.note);
    answer.catch((error: unknown) => this.follower.suspect(client, error as Error));
    await this.heard(answer, signal);
  }

  async list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    const { incarnation } = this.view;
    const { kvs, revision } = await this.heard(this.connection.client.list(this.layout.range, signal), signal);
    const instances = kvs
      .map((kv) => this.layout.stored(kv)?.instance)
      .filter((instance): instance is ServiceInstance => instance !== undefined && !(instance instanceof BackendError));
    return { instances, asOf: revision, incarnation };
  }

  watch(signal: AbortSignal): AsyncIterable<RegistryEvent> {
    return this.view.watches.watch(signal);
  }

  private async heard<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await abortable(answer, signal);
    } catch (error) {
      throw asBackendError(error);
    }
  }
}
