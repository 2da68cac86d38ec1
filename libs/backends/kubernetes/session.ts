import type { BackendContext, BackendError, ConfigStore, Registrar, RegistrySnapshot } from '#core';
import type { Client } from './client.js';
import { KubernetesConfigStore } from './config-store.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LeaseWriter } from './lease-writer.js';
import { LeaseForm } from './leases.js';
import { Mirror, type MirrorOptions, type Writing } from './mirror.js';
import { ENDPOINT_SLICES, pathOf } from './objects.js';
import { Projector } from './projector.js';
import { LeaseRegistrar } from './registrar.js';
import { checkRights } from './rights.js';
import type { View } from './view.js';

export interface Connection {
  readonly client: Client;
  readonly options: MirrorOptions;
}

/** A backend that is running: what it is made of, and how that hangs together. */
export class Session {
  readonly registrar?: Registrar;
  readonly configStore?: ConfigStore;
  private readonly probePath: string;
  private readonly writing?: Writing & { readonly projector: Projector };
  private mirror: Mirror;
  private stopped = false;
  private replacing: Promise<void> = Promise.resolve();

  /** @param settled Told of the first outcome, and of later ones too. */
  constructor(
    private readonly client: Client,
    private readonly view: View,
    private readonly options: MirrorOptions,
    private readonly context: BackendContext,
    private readonly settled: (error: BackendError | undefined) => void,
  ) {
    const namespace = options.namespaces?.[0];
    this.probePath = pathOf(ENDPOINT_SLICES, namespace);
    if (options.write) {
      const form = new LeaseForm(options.prefix, namespace!);
      const writer = new LeaseWriter(client, namespace!, form, () => this.mirror.leases!);
      const keeper = this.makeKeeper(form, writer);
      const projector = this.makeProjector(namespace!);
      this.writing = { form, keeper, projector, serviceMoved: (name) => projector.touch(name) };
      this.configStore = new KubernetesConfigStore(client, namespace!, options.prefix);
      this.registrar = new LeaseRegistrar({
        ...{ form, writer, keeper, projector, now: context.now },
        table: () => this.mirror.table!,
        isThere: (key) => this.view.get(key) !== undefined,
      });
    }
    this.mirror = this.makeMirror();
  }

  start(): void {
    this.mirror.start();
    this.writing?.keeper.start();
    this.writing?.projector.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.writing?.keeper.stop();
    await this.writing?.projector.stop();
    this.client.close();
    await this.replacing;
    await this.mirror.stop();
  }

  /** @throws ApiError when there is a right to write that we do not have. */
  async checkRights(): Promise<void> {
    if (this.options.write) await checkRights(this.client, this.options.namespaces![0]!);
  }

  ping(signal: AbortSignal): Promise<void> {
    return this.client.probe(this.probePath, signal);
  }

  list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    return this.view.list(signal);
  }

  private makeMirror(): Mirror {
    return new Mirror(this.client, this.view, this.options, this.writing, this.context.logger, {
      rewound: () => void (this.replacing = this.replace()),
      settled: this.settled,
    });
  }

  /** The registry has another past: whatever we know is of no use. */
  private async replace(): Promise<void> {
    this.context.logger.warn({}, "Kubernetes' versions have gone back: everything is read anew");
    const old = this.mirror.stop();
    this.view.beginAnew();
    this.writing?.keeper.clear();
    this.mirror = this.makeMirror();
    if (!this.stopped) this.mirror.start();
    await old;
  }

  private makeKeeper(form: LeaseForm, writer: LeaseWriter): LeaseKeeper {
    return new LeaseKeeper(
      form,
      {
        renew: (slot, beat, ageMs) => writer.renew(slot, beat, ageMs),
        expire: (slot) => writer.expire(slot),
        bury: (slot, lease) => writer.bury(slot, lease),
        probe: () => this.client.probe(this.probePath),
        lastHeard: () => this.client.lastHeard,
        isLive: () => this.view.isLive,
      },
      this.context.logger,
    );
  }

  private makeProjector(namespace: string): Projector {
    const { client, options, context } = this;
    return new Projector(
      client,
      namespace,
      options.prefix,
      {
        services: () => this.mirror.services[0]!,
        slices: () => this.mirror.slices[0]!,
        ourSlices: () => this.mirror.ourSlices,
        instancesOf: (name) => this.mirror.table!.of(name),
        serviceNames: () => this.mirror.table!.serviceNames,
        isLive: () => this.view.isLive,
      },
      context.logger,
    );
  }
}
