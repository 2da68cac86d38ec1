import type { BackendError, Logger } from '#core';
import type { Client } from './client.js';
import { ClusterServices } from './cluster-services.js';
import { LeaseTable } from './lease-table.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { LeaseForm } from './leases.js';
import {
  ENDPOINT_SLICES,
  LEASES,
  pathOf,
  SERVICES,
  type EndpointSlice,
  type KubernetesObject,
  type Lease,
  type Service,
} from './objects.js';
import { OurSlices } from './our-slices.js';
import { isOurSlice } from './projection.js';
import { Reflector, type Listener, type Source } from './reflector.js';
import type { View } from './view.js';

export interface MirrorOptions {
  /** Undefined: all of them. */
  readonly namespaces: readonly string[] | undefined;
  readonly write: boolean;
  readonly prefix: string;
}

/** What a mirror of a registry that is written to needs. */
export interface Writing {
  readonly form: LeaseForm;
  readonly keeper: LeaseKeeper;
  readonly serviceMoved: (serviceName: string) => void;
}

/** Copies of everything in Kubernetes that the view is made from. Of another past there is another mirror. */
export class Mirror {
  readonly services: Reflector<Service>[] = [];
  readonly slices: Reflector<EndpointSlice>[] = [];
  readonly leases: Reflector<Lease> | undefined;
  readonly table: LeaseTable | undefined;
  readonly ourSlices: OurSlices;

  constructor(
    private readonly client: Client,
    private readonly view: View,
    { namespaces, write, prefix }: MirrorOptions,
    writing: Writing | undefined,
    private readonly logger: Logger,
    private readonly on: { rewound(): void; settled(error: BackendError | undefined): void },
  ) {
    this.ourSlices = new OurSlices(prefix);
    const cluster = new ClusterServices(view, {
      prefix,
      withNamespace: namespaces?.length !== 1,
      // In a mirror of what is only read they are as good as anybody's.
      isOurs: (slice) => write && isOurSlice(slice, prefix),
    });
    for (const namespace of namespaces ?? [undefined]) {
      const services = { path: pathOf(SERVICES, namespace) };
      this.services.push(
        this.reflect<Service>(services, (before, after, version) => cluster.serviceChanged(before, after, version)),
      );
      const slices = { path: pathOf(ENDPOINT_SLICES, namespace) };
      this.slices.push(
        this.reflect<EndpointSlice>(slices, (before, after, version, seen) => {
          this.ourSlices.changed(before, after);
          cluster.sliceChanged(before, after, version, seen);
        }),
      );
    }
    if (!writing) return;
    const { form, keeper, serviceMoved } = writing;
    const table = new LeaseTable(form, view, logger, serviceMoved);
    this.table = table;
    const leases = { path: pathOf(LEASES, namespaces?.[0]), labelSelector: form.selector };
    this.leases = this.reflect<Lease>(leases, (before, after, version) => {
      keeper.changed(before, after);
      table.changed(before, after, version);
    });
  }

  start(): void {
    for (const each of this.all) each.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((each) => each.stop()));
    this.table?.clear();
  }

  private get all(): readonly { start(): void; stop(): Promise<void> }[] {
    return [...this.services, ...this.slices, ...(this.leases ? [this.leases] : [])];
  }

  private reflect<T extends KubernetesObject>(source: Source, changed: Listener<T>['changed']): Reflector<T> {
    const reflector: Reflector<T> = new Reflector<T>(this.client, source, {
      changed,
      rewound: () => this.on.rewound(),
      standing: (error) => {
        if (error) this.logger.debug({ path: source.path, reason: error.message }, 'Kubernetes cannot be followed');
        if (error) this.view.fell(reflector, error);
        else this.view.stands(reflector);
        if (error || this.view.isLive) this.on.settled(error);
      },
    });
    this.view.add(reflector);
    return reflector;
  }
}
