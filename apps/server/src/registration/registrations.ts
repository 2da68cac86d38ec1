import { Injectable } from '@nestjs/common';
import {
  BackendError,
  hasActiveCheck,
  keyOf,
  notFound,
  serviceIdField,
  type Actor,
  type Heartbeat,
  type HealthStatus,
  type InstanceKey,
  type InstanceUpdate,
  type Registrar,
  type Registration,
  type RegistryBackend,
  type Role,
  type ServiceInstance,
  type Version,
  type WriteOptions,
} from '#core';
import type { Catalog, CatalogEntry } from '#catalog';
import { Deadlines } from '../deadlines.js';
import type { Author } from '../auth/caller.js';
import { forbidden } from '../auth/gate.js';
import { badRequest, Problem } from '../http/problem.js';
import { sharesChecks } from '../replica/identity.js';
import type { InstanceQuota } from './instance-quota.js';
import { healthCheckOf, type CheckRules, type Probing } from './checks.js';
import type { RegistrationWish } from './wish.js';

/** What is absent stays as it is. */
export type Patch = Omit<Extract<InstanceUpdate, { kind: 'patch' }>, 'kind'>;

export interface RegistrationRules extends CheckRules {
  /** The name of our own replicas, which nobody else may use. */
  readonly ownName: string;
  /** How long a write may take before its outcome counts as unknown, milliseconds. */
  readonly deadlineMs: number;
}

/**
 * Writes, for every API and dialect: to the registry first, then into our own view, so that the writer sees what it
 * wrote. What callers may not do to this registry's own servers, these do by the methods that end with `As`.
 */
@Injectable()
export class Registrations {
  private readonly deadlines: Deadlines;

  constructor(
    private readonly backend: RegistryBackend,
    private readonly catalog: Catalog,
    private readonly probing: Probing,
    private readonly rules: RegistrationRules,
    private readonly quota: InstanceQuota | undefined,
    private readonly registered: (serviceName: string) => void = () => undefined,
  ) {
    this.deadlines = new Deadlines(rules.deadlineMs);
  }

  /** @throws Problem or BackendError that says what is wrong with the input, or what became of the write. */
  async register(wish: RegistrationWish, { caller, actor, holder }: Author): Promise<CatalogEntry> {
    if (wish.serviceName === this.rules.ownName) {
      const detail = `${wish.serviceName} is the name of this registry's own servers`;
      throw badRequest(detail, [{ path: 'service_name', message: 'is reserved' }], 'RESERVED_NAME');
    }
    const registration = { ...this.registrationOf(wish), registeredBy: holder };
    const taken = this.catalog.get(registration)?.instance;
    for (const each of [registration, ...(taken ? [taken] : [])])
      if (!caller.mayWith(each, 'registrar')) throw forbidden(caller);
    const leave = this.quota?.enter(registration);
    try {
      return await this.registerAs(registration, actor);
    } finally {
      leave?.();
    }
  }

  async registerAs(registration: Registration, actor: Actor): Promise<CatalogEntry> {
    const { instance } = await this.write(actor, (registrar, options) => registrar.register(registration, options));
    const shown = this.show(instance);
    this.registered(instance.serviceName);
    return shown;
  }

  async heartbeat(key: InstanceKey, heartbeat: Heartbeat, author: Author): Promise<CatalogEntry> {
    this.requireForeign(key);
    await this.require(key, 'registrar', author);
    return this.heartbeatAs(key, heartbeat, author.actor);
  }

  async heartbeatAs(key: InstanceKey, heartbeat: Heartbeat, actor: Actor): Promise<CatalogEntry> {
    const { instance, vitals } = await this.write(actor, (registrar, options) =>
      registrar.renew(key, heartbeat, options),
    );
    if (instance) return this.show(instance);
    // Registered through another replica a moment ago, it may not be in our view yet.
    if (!this.catalog.get(key)) await this.catalog.refresh();
    this.catalog.observe(key, vitals);
    const entry = this.catalog.get(key);
    if (!entry) throw notFound(key);
    return entry;
  }

  async patch(key: InstanceKey, patch: Patch, author: Author, ifVersion?: Version): Promise<CatalogEntry> {
    this.requireForeign(key);
    await this.require(key, 'registrar', author, patch.tags);
    return this.update(key, { kind: 'patch', ...patch }, author.actor, ifVersion);
  }

  async setMaintenance(
    key: InstanceKey,
    reason: string | undefined,
    author: Author,
    ifVersion?: Version,
  ): Promise<CatalogEntry> {
    this.requireForeign(key);
    await this.require(key, 'operator', author);
    const maintenance = reason === undefined ? undefined : { reason };
    return this.update(key, { kind: 'maintenance', maintenance }, author.actor, ifVersion);
  }

  /** A probe's word: it counts only for the state of the instance that was probed. */
  async setProbed(instance: ServiceInstance, status: HealthStatus, actor: Actor): Promise<void> {
    if (this.catalog.get(instance)?.hold) {
      this.catalog.reassess(instance, status, actor);
      return;
    }
    await this.update(keyOf(instance), { kind: 'probe', status }, actor, instance.version);
  }

  async deregister(key: InstanceKey, author: Author, ifVersion?: Version): Promise<void> {
    this.requireForeign(key);
    await this.require(key, 'registrar', author);
    return this.deregisterAs(key, author.actor, ifVersion);
  }

  async deregisterAs(key: InstanceKey, actor: Actor, ifVersion?: Version): Promise<void> {
    try {
      await this.remove(key, 'deregistered', actor, ifVersion);
    } catch (error) {
      // Of a held instance the registry knows nothing any more: our view alone is left to be told.
      const unknown = error instanceof BackendError && error.code === 'NOT_FOUND';
      if (unknown && this.catalog.release(key, 'deregistered', actor)) return;
      throw error;
    }
  }

  async evict(instance: ServiceInstance, actor: Actor): Promise<void> {
    if (this.catalog.release(instance, 'evicted', actor)) return;
    await this.remove(keyOf(instance), 'evicted', actor, instance.version);
  }

  /**
   * @param tags What it is to have, when they are to change.
   * @throws Problem 403 where that is not allowed, BackendError `NOT_FOUND` where not even that may be known.
   */
  private async require(key: InstanceKey, role: Role, { caller }: Author, tags?: readonly string[]): Promise<void> {
    if (caller.mayWithAllOf(key.serviceName, role)) return;
    // Registered through another replica a moment ago, it may not be in our view yet.
    if (!this.catalog.get(key)) await this.catalog.refresh();
    const { instance } = this.catalog.get(key) ?? {};
    if (!instance || !caller.visibility.sees(instance)) throw notFound(key);
    const allowed = caller.mayWith(instance, role) && (!tags || caller.mayWith({ ...instance, tags }, role));
    if (!allowed) throw forbidden(caller);
  }

  /** @throws Problem 403 for one of our own replicas: it alone looks after its registration. */
  private requireForeign(key: InstanceKey): void {
    const { instance } = this.catalog.get(key) ?? {};
    if (key.serviceName !== this.rules.ownName || !instance || sharesChecks(instance) === undefined) return;
    const detail = `${key.serviceId} is one of this registry's own servers, and looks after its registration itself`;
    throw new Problem(403, 'RESERVED_NAME', detail);
  }

  private async remove(
    key: InstanceKey,
    cause: 'deregistered' | 'evicted',
    actor: Actor,
    ifVersion?: Version,
  ): Promise<void> {
    const removal = await this.write(actor, (registrar, options) =>
      registrar.deregister(key, { ...options, cause, ifVersion }),
    );
    this.catalog.apply({ kind: 'remove', ...removal, cause, actor });
  }

  private async update(
    key: InstanceKey,
    update: InstanceUpdate,
    actor: Actor,
    ifVersion?: Version,
  ): Promise<CatalogEntry> {
    const instance = await this.write(actor, (registrar, options) =>
      registrar.update(key, update, { ...options, ifVersion }),
    );
    return this.show(instance);
  }

  private show(instance: ServiceInstance): CatalogEntry {
    this.catalog.apply({ kind: 'upsert', instance });
    // With what this process alone has seen of it.
    return this.catalog.get(instance) ?? { instance };
  }

  private async write<T>(actor: Actor, work: (registrar: Registrar, options: WriteOptions) => Promise<T>): Promise<T> {
    const { registrar, capabilities } = this.backend;
    if (!registrar) {
      const why = [`the ${capabilities.type} registry is read-only here`, ...capabilities.notes].join('. ');
      throw new Problem(501, 'NOT_SUPPORTED', why);
    }
    return work(registrar, { actor, signal: this.deadlines.next() });
  }

  /** Where nobody probes, what a probe has once said would stand for ever: the instance's own word counts. */
  private registrationOf(wish: RegistrationWish): Registration {
    const { leaseMs, checksEnabled } = this.rules;
    const check = healthCheckOf(wish, this.probing, this.rules);
    const probed = hasActiveCheck({ check });
    return {
      ...wish,
      serviceId: wish.serviceId ?? madeId(wish),
      tags: wish.tags ?? [],
      metadata: wish.metadata ?? {},
      status: wish.status ?? (probed && !checksEnabled ? 'passing' : undefined),
      check,
      ttl: wish.ttl ?? wish.check?.ttl ?? (probed ? undefined : leaseMs),
    };
  }
}

/** The same for the same place, so that a retry is no second instance. */
function madeId({ serviceName, address, port }: RegistrationWish): string {
  const made = serviceIdField.safeParse(`${serviceName}-${address}-${port}`);
  if (made.success) return made.data;
  throw badRequest('the made id would be too long', [
    { path: 'service_id', message: 'is needed: name and address are long' },
  ]);
}
