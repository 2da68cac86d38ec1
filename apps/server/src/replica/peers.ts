import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, ServiceInstance } from '#core';
import type { Catalog, CatalogChange } from '#catalog';
import type { Settings } from '../settings/index.js';
import { replicaId, sharesChecks } from './identity.js';
import type { Peer, PeerClient } from './peer-client.js';

const PING_EVERY_MS = 1_000;
const PING_DEADLINE_MS = 1_000;
/** In a row: one that is busy may miss one. */
const FAILURES = 2;

interface Known {
  instance: ServiceInstance;
  /** Until it has failed to. */
  answers: boolean;
  readonly left: AbortController;
}

/**
 * The other replicas: instances of our own service, as long as they answer when they are asked whether
 * they are there. The lease of one that was killed ends only seconds later.
 */
export class Peers {
  /** Called when anything said here has changed. */
  onChange: () => void = () => undefined;
  /** This replica is known to the others. */
  registered = false;
  private readonly known = new Map<string, Known>();
  private readonly pings = new Set<Promise<void>>();
  private advised = false;
  readonly ownId: string;

  constructor(
    catalog: Catalog,
    private readonly client: PeerClient,
    private readonly self: Settings['service'],
    private readonly logger: Logger,
  ) {
    this.ownId = replicaId(catalog);
  }

  /** Who answers. */
  get live(): readonly ServiceInstance[] {
    return [...this.known.values()].filter(({ answers }) => answers).map(({ instance }) => instance);
  }

  see(change: CatalogChange): void {
    if (change.kind !== 'upsert' && change.kind !== 'remove') return;
    const { kind, instance } = change;
    if (instance.serviceName !== this.self.name || sharesChecks(instance) === undefined) return;
    if (instance.serviceId === this.ownId) this.registered = kind === 'upsert';
    else if (kind === 'remove') this.forget(instance);
    else this.meet(instance);
    this.onChange();
  }

  async stop(): Promise<void> {
    for (const { instance } of this.known.values()) this.forget(instance);
    await Promise.all(this.pings);
  }

  private meet(instance: ServiceInstance): void {
    const known = this.known.get(instance.serviceId);
    if (known) {
      known.instance = instance;
      return;
    }
    const met: Known = { instance, answers: true, left: new AbortController() };
    this.known.set(instance.serviceId, met);
    this.advise();
    const pinging = this.ping(met);
    this.pings.add(pinging);
    void pinging.finally(() => this.pings.delete(pinging));
  }

  /** Once, when the first other one is met. */
  private advise(): void {
    if (this.advised) return;
    this.advised = true;
    const { advertise, replicaSecret } = this.self;
    if (!advertise)
      this.logger.warn(
        {},
        'there are other replicas, which do not know of this one: it shares no health checks. Set ADVERTISE_ADDRESS',
      );
    if (replicaSecret === undefined)
      this.logger.warn(
        {},
        'there are other replicas, which cannot be asked what they alone know of health. Set REPLICA_SECRET',
      );
  }

  private forget({ serviceId }: Peer): void {
    this.known.get(serviceId)?.left.abort();
    this.known.delete(serviceId);
  }

  /** Asks until it has left. Never rejects. */
  private async ping(peer: Known): Promise<void> {
    const { signal } = peer.left;
    for (let failures = 0; ;) {
      const error = await this.failureOf(peer);
      if (signal.aborted) return;
      failures = error === undefined ? 0 : failures + 1;
      if (peer.answers !== failures < FAILURES) this.turn(peer, error);
      await sleep(PING_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private turn(peer: Known, error: string | undefined): void {
    const { serviceId: replica, address, port } = peer.instance;
    peer.answers = error === undefined;
    if (peer.answers) this.logger.info({ replica }, 'a replica answers again');
    else
      this.logger.warn(
        { replica, address, port, error },
        'a replica does not answer: its health checks are made by others',
      );
    this.onChange();
  }

  /** Why it counts as away; undefined: it is there. */
  private async failureOf({ instance, left }: Known): Promise<string | undefined> {
    const signal = AbortSignal.any([left.signal, AbortSignal.timeout(PING_DEADLINE_MS)]);
    try {
      const { status } = await this.client.ask(instance, 'here', { signal });
      return status === 204 ? undefined : `somebody else is at its address (${status})`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
