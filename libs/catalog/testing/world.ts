import {
  BackendError,
  keyOf,
  registered,
  silentLogger,
  type Registration,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
} from '#core';
import { registration, ScriptedBackend } from '#core/testing';
import { Catalog, type CatalogChange, type CatalogOptions } from '../index.js';
import { ManualClock, settled } from './manual-clock.js';

export const REFRESH_MS = 30_000;
export const AWAY = new BackendError('UNAVAILABLE', 'the registry is away');

/** The instance of service `api` with this id at this version. */
export function instance(serviceId: string, version: number, over: Partial<Registration> = {}): ServiceInstance {
  const record = registered(undefined, registration({ serviceId, ...over }), 'owner', version);
  return { ...record, version: String(version), vitals: {} };
}

export function snapshot(instances: readonly ServiceInstance[], asOf: number, incarnation = 'first'): RegistrySnapshot {
  return { instances, asOf: String(asOf), incarnation };
}

/** A catalog before a registry and under a clock that both do as they are told. */
export class World {
  readonly backend = new ScriptedBackend();
  readonly clock = new ManualClock();
  readonly changes: CatalogChange[] = [];
  readonly catalog: Catalog;

  constructor(options: Partial<CatalogOptions> = {}) {
    this.catalog = new Catalog(this.backend, {
      refreshEveryMs: REFRESH_MS,
      massLoss: { min: 3, share: 0.5, holdMs: 0 },
      maxWaiters: 100,
      logger: silentLogger,
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
    this.catalog.subscribe((change) => this.changes.push(change));
  }

  /** A catalog that has begun with these, up to version 10. */
  static async with(instances: readonly ServiceInstance[], options: Partial<CatalogOptions> = {}): Promise<World> {
    const world = new World(options);
    world.catalog.start();
    await settled();
    await world.snapshot(instances, 10);
    return world;
  }

  async snapshot(instances: readonly ServiceInstance[], asOf: number, incarnation?: string): Promise<void> {
    this.backend.tell({ kind: 'snapshot', ...snapshot(instances, asOf, incarnation) });
    await settled();
  }

  async upsert(...instances: readonly ServiceInstance[]): Promise<void> {
    for (const each of instances) this.backend.tell({ kind: 'upsert', instance: each });
    await settled();
  }

  async remove(serviceId: string, version: number, cause: RemovalCause): Promise<void> {
    this.backend.tell({ kind: 'remove', key: keyOf(instance(serviceId, 0)), version: String(version), cause });
    await settled();
  }

  async away(): Promise<void> {
    this.backend.onPing = () => Promise.reject(AWAY);
    this.backend.onList = () => Promise.reject(AWAY);
    this.backend.tell({ kind: 'stale', error: AWAY });
    await settled();
  }

  /** What a list of the registry says from now on. */
  lists(instances: readonly ServiceInstance[], asOf: number, incarnation?: string): void {
    this.backend.onPing = () => Promise.resolve();
    this.backend.onList = () => Promise.resolve(snapshot(instances, asOf, incarnation));
  }

  /** Ids of service `api` with a mark at those that are held. */
  shown(): string[] | undefined {
    return this.catalog.instances('api')?.map(({ instance: each, hold }) => each.serviceId + (hold ? '*' : ''));
  }

  /** What has happened to instances since the last time, as `cause id`. */
  news(): string[] {
    return this.changes
      .splice(0)
      .flatMap((change) =>
        'event' in change && change.event ? [`${change.event.cause} ${change.event.key.serviceId}`] : [],
      );
  }
}
