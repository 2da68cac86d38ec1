import {
  asBackendError,
  BackendError,
  type BackendCapabilities,
  type BackendContext,
  type ConfigStore,
  type Registrar,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
} from '#core';
import { isOurSettings } from './errors.js';
import { Session, type Connection } from './session.js';
import { View } from './view.js';

/** How long a start waits for Kubernetes before it counts as away. */
const START_MS = 6_000;

const READ_ONLY: BackendCapabilities = {
  type: 'kubernetes',
  register: 'refused',
  leases: 'refused',
  maintenance: 'refused',
  removalCauses: 'refused',
  configuration: 'refused',
  durable: true,
  replicas: true,
  notes: ['Read-only: what runs in the cluster is registered by Kubernetes. KUBERNETES_WRITE=true registers others.'],
};

const WRITING: BackendCapabilities = {
  type: 'kubernetes',
  register: 'emulated',
  leases: 'emulated',
  maintenance: 'emulated',
  removalCauses: 'emulated',
  configuration: 'emulated',
  durable: true,
  replicas: true,
  notes: [
    'Each instance is a Lease. What has a name and an address that Kubernetes takes is shown as a Service with EndpointSlices too.',
    'A service whose name is that of a Service of somebody else is read-only.',
  ],
};

export class KubernetesBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities;
  readonly registrar?: Registrar;
  readonly configStore?: ConfigStore;
  private readonly view = new View();
  private session: Session | undefined;
  private stopped = false;

  /** @param connect Reads where Kubernetes is; throws in words for an operator. */
  constructor(
    private readonly connect: () => Connection,
    write: boolean,
    private readonly context: BackendContext,
  ) {
    this.capabilities = write ? WRITING : READ_ONLY;
    if (!write) return;
    this.registrar = this.makeRegistrar();
    this.configStore = this.makeConfigStore();
  }

  async start(): Promise<void> {
    const { client, options } = this.connect();
    let settle!: (error: BackendError | undefined) => void;
    const settled = new Promise<BackendError | undefined>((resolve) => (settle = resolve));
    const silence = new BackendError('UNAVAILABLE', `Kubernetes has not answered within ${START_MS} ms`);
    const timer = setTimeout(() => settle(silence), START_MS);
    this.session = new Session(client, this.view, options, this.context, settle);
    this.session.start();
    const error = (await settled) ?? (await this.session.checkRights().then(none, asBackendError));
    clearTimeout(timer);
    if (!error) return;
    if (isOurSettings(error)) {
      await this.stop();
      throw error;
    }
    this.view.fell(undefined, error);
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.view.watches.end();
    await this.session?.stop();
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.running().ping(signal);
  }

  async list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    return this.running().list(signal);
  }

  watch(signal: AbortSignal): AsyncIterable<RegistryEvent> {
    return this.view.watches.watch(signal);
  }

  private running(): Session {
    if (!this.session || this.stopped) throw new BackendError('UNAVAILABLE', 'the registry has stopped');
    return this.session;
  }

  private makeRegistrar(): Registrar {
    const there = () => this.running().registrar!;
    return {
      register: async (registration, options) => there().register(registration, options),
      renew: async (key, heartbeat, options) => there().renew(key, heartbeat, options),
      update: async (key, update, options) => there().update(key, update, options),
      deregister: async (key, options) => there().deregister(key, options),
    };
  }

  private makeConfigStore(): ConfigStore {
    const there = () => this.running().configStore!;
    return {
      heads: async (signal) => there().heads(signal),
      get: async (key, version, signal) => there().get(key, version, signal),
      append: async (key, entry, signal) => there().append(key, entry, signal),
      watch: (signal) => there().watch(signal),
    };
  }
}

function none(): undefined {
  return undefined;
}
