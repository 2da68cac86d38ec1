import {
  BackendError,
  checkVersion,
  keyOf,
  keyText,
  notFound,
  recordOf,
  registered,
  renewed,
  updated,
  vitalsOf,
  type Heartbeat,
  type InstanceKey,
  type InstanceRecord,
  type InstanceUpdate,
  type Registered,
  type Registrar,
  type Registration,
  type Removal,
  type Renewal,
  type ServiceInstance,
  type WriteOptions,
} from '#core';
import type { LeaseKeeper } from './lease-keeper.js';
import type { LeaseTable } from './lease-table.js';
import type { LeaseWriter } from './lease-writer.js';
import type { LeaseForm } from './leases.js';
import { versionOf, type Lease } from './objects.js';
import type { Projector } from './projector.js';

export interface RegistrarParts {
  readonly form: LeaseForm;
  readonly writer: LeaseWriter;
  readonly keeper: LeaseKeeper;
  readonly table: () => LeaseTable;
  readonly projector: Projector;
  /** Among all that there is, whoever has registered it. */
  readonly isThere: (key: InstanceKey) => boolean;
  readonly now: () => number;
}

/** Registers in Leases. */
export class LeaseRegistrar implements Registrar {
  constructor(private readonly parts: RegistrarParts) {}

  async register(registration: Registration, options: WriteOptions): Promise<Registered> {
    const { writer, form, projector } = this.parts;
    const { actor, signal } = options;
    await projector.claim(registration.serviceName, registration.port, signal);
    const slot = writer.slotOf(registration);
    const at = this.parts.now();
    let created = false;
    const lease = await writer.change(
      slot,
      (found) => {
        const previous = this.instanceIn(found);
        created = previous === undefined;
        checkVersion(registration, previous?.version, options);
        const before = previous && recordOf(previous);
        const record = registered(before, registration, actor, at);
        return record === before ? this.beat(slot, found!, at) : form.changed(found, record, new Date(at));
      },
      signal,
    );
    if (lastBeat(lease!) < at) this.table.heard(slot, { ...this.table.vitalsOf(slot), lastHeartbeat: at });
    return { instance: this.shown(slot, lease), created };
  }

  async renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal> {
    const { writer, form } = this.parts;
    const slot = writer.slotOf(key);
    const at = this.parts.now();
    const plain = heartbeat.status === undefined && heartbeat.metadata === undefined;
    const known = this.table.instance(slot);
    const waits =
      plain && options.ifVersion === undefined && known !== undefined && !this.parts.keeper.beat(slot, new Date(at));
    const lease = waits
      ? writer.known(slot)
      : await writer.change(
          slot,
          (found) => {
            const previous = this.find(key, found, options);
            const before = recordOf(previous);
            const record = renewed(before, heartbeat, options.actor, at);
            if (record !== before) return form.changed(found, record, new Date(at));
            return form.renewed(found!, new Date(at), 0);
          },
          options.signal,
        );
    this.table.heard(slot, { ...this.table.vitalsOf(slot), ...vitalsOf(heartbeat, at) });
    const instance = this.shown(slot, lease);
    return { key: keyOf(key), version: instance.version, vitals: instance.vitals, instance };
  }

  async update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance> {
    const { writer, form } = this.parts;
    const slot = writer.slotOf(key);
    const at = this.parts.now();
    const lease = await writer.change(
      slot,
      (found) => {
        const before: InstanceRecord = recordOf(this.find(key, found, options));
        const record = updated(before, update, options.actor, at);
        return record === before ? undefined : form.changed(found, record, undefined);
      },
      options.signal,
    );
    return this.shown(slot, lease);
  }

  /** Says why first, and deletes then: who watches has to see it. */
  async deregister(
    key: InstanceKey,
    options: WriteOptions & { readonly cause: 'deregistered' | 'evicted' },
  ): Promise<Removal> {
    const { writer, form } = this.parts;
    const { cause, actor, signal } = options;
    const slot = writer.slotOf(key);
    const lease = await writer.change(
      slot,
      (found) => {
        if (!found || form.removalOf(found)) throw this.missing(key);
        checkVersion(key, form.versionOf(found), options);
        return form.removed(found, { cause, actor });
      },
      signal,
    );
    // It has gone. What is left is the keeper's if we cannot.
    await writer.bury(slot, lease!, signal).catch(() => undefined);
    return { key: keyOf(key), version: versionOf(lease!) };
  }

  private get table(): LeaseTable {
    return this.parts.table();
  }

  /** The same again: its lease begins anew, and nothing else changes. */
  private beat(slot: string, lease: Lease, at: number): Lease | undefined {
    const date = new Date(at);
    return this.parts.keeper.beat(slot, date) ? this.parts.form.renewed(lease, date, 0) : undefined;
  }

  private find(key: InstanceKey, lease: Lease | undefined, options: WriteOptions): ServiceInstance {
    const instance = this.instanceIn(lease);
    if (!instance) throw this.missing(key);
    checkVersion(key, instance.version, options);
    return instance;
  }

  private missing(key: InstanceKey): BackendError {
    const isOthers = this.parts.isThere(key) && !this.table.instance(this.parts.writer.slotOf(key));
    if (!isOthers) return notFound(key);
    return new BackendError('CONFLICT', `${keyText(key)} is registered by Kubernetes itself: it is read-only here`);
  }

  /** @throws BackendError when there is something that cannot be read. */
  private instanceIn(lease: Lease | undefined): ServiceInstance | undefined {
    if (!lease || this.parts.form.removalOf(lease)) return undefined;
    const instance = this.parts.form.instanceOf(lease);
    if (instance instanceof BackendError) throw instance;
    return instance;
  }

  /** With what this process has heard of it. */
  private shown(slot: string, lease: Lease | undefined): ServiceInstance {
    const instance = this.instanceIn(lease)!;
    return { ...instance, vitals: this.table.vitalsOf(slot) };
  }
}

function lastBeat({ spec }: Lease): number {
  return Date.parse(spec.renewTime ?? '') || 0;
}
