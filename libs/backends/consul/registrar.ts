import {
  BackendError,
  checkVersion,
  keyOf,
  keyText,
  notFound,
  pause,
  registered,
  renewed,
  Turns,
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
import { DENIED, LOST_RACE } from './errors.js';
import { bury, put } from './operations.js';
import type { Parts } from './parts.js';
import { checkProjectable } from './projection.js';
import type { Reader } from './reader.js';
import type { Beat } from './stored.js';
import type { Operation, Refusal } from './types.js';
import { instanceOf, recordIn, type Known } from './view.js';

const ATTEMPTS = 30;
const RACE_PAUSE_MS = 10;
/** Somebody has taken our node out of the catalog. */
const NO_NODE = /missing node registration/i;

/** What is to be written, and what it comes to when it has been. */
interface Change<T> {
  readonly operations: readonly Operation[];
  readonly done: (indexOf: (key: string) => number) => T;
}

export class ConsulRegistrar implements Registrar {
  private readonly turns = new Turns();

  /** @param mayWait Whether a heartbeat of this instance need not be written yet. */
  constructor(
    private readonly parts: Parts,
    private readonly reader: Reader,
    private readonly mayWait: (known: Known) => boolean,
  ) {}

  register(registration: Registration, options: WriteOptions): Promise<Registered> {
    return this.change(registration, options, (found) => {
      const previous = this.previous(found);
      checkVersion(registration, previous && String(found!.index), options);
      if (!previous) this.refuseForeign(registration);
      checkProjectable(registration);
      const now = this.parts.now();
      const record = registered(previous, registration, options.actor, now);
      const beat = { vitals: { ...found?.beat?.vitals, lastHeartbeat: now }, age: 0 };
      return this.store(found, record, beat, (instance) => ({ instance, created: !previous }));
    });
  }

  async renew(key: InstanceKey, heartbeat: Heartbeat, options: WriteOptions): Promise<Renewal> {
    const { view, now } = this.parts;
    const known = view.get(key);
    const bare = heartbeat.status === undefined && heartbeat.metadata === undefined && options.ifVersion === undefined;
    if (bare && known && recordIn(known) && this.mayWait(known)) {
      return renewal(instanceOf(view.hear(known, beatOf(known, heartbeat, now())))!);
    }
    return this.change(key, options, (found) => {
      const previous = this.present(key, found, options);
      const record = renewed(previous, heartbeat, options.actor, now());
      return this.store(found, record, beatOf(found, heartbeat, now()), renewal);
    });
  }

  update(key: InstanceKey, update: InstanceUpdate, options: WriteOptions): Promise<ServiceInstance> {
    return this.change(key, options, (found) => {
      const previous = this.present(key, found, options);
      const record = updated(previous, update, options.actor, this.parts.now());
      if (record === previous) return { operations: [], done: () => instanceOf(found!)! };
      return this.store(found, record, undefined, (instance) => instance);
    });
  }

  deregister(
    key: InstanceKey,
    options: WriteOptions & { readonly cause: 'deregistered' | 'evicted' },
  ): Promise<Removal> {
    const { layout, view } = this.parts;
    const grave = { cause: options.cause, actor: options.actor };
    return this.change(key, options, (found) => {
      if (found?.state.kind !== 'unreadable') this.present(key, found, options);
      const done: Change<Removal>['done'] = (indexOf) => {
        const index = indexOf(layout.instance(key));
        view.take(key, { index, value: () => ({ kind: 'removed', grave }) });
        return { key: keyOf(key), version: String(index) };
      };
      return { operations: bury(layout, found!, grave), done };
    });
  }

  /** Decides by what there is, and writes that unless somebody was faster: then again, by what there is then. */
  private change<T>(
    key: InstanceKey,
    { signal }: WriteOptions,
    decide: (found: Known | undefined) => Change<T>,
  ): Promise<T> {
    const { view, writer } = this.parts;
    const work = async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        // What we know may be out of date. A write finds that out; whatever needs none has to be looked up.
        const certain = attempt > 0;
        const found = certain ? await this.reader.look(key, signal) : view.get(key);
        let change: Change<T>;
        try {
          change = decide(found);
        } catch (error) {
          if (certain) throw error;
          continue;
        }
        if (change.operations.length === 0 && !certain) continue;
        if (change.operations.length === 0) return change.done(() => 0);
        const outcome = await writer.commit(change.operations, signal);
        if ('indexOf' in outcome) return change.done(outcome.indexOf);
        await this.recover(outcome.refusals, signal);
        await pause(Math.random() * RACE_PAUSE_MS * attempt, signal ?? new AbortController().signal);
      }
      throw new BackendError('BUSY', `others change ${keyText(key)} all the time`);
    };
    return this.turns.take(keyText(key), work, signal);
  }

  /** Returns when the write may be tried again. */
  private async recover(refusals: readonly Refusal[], signal: AbortSignal | undefined): Promise<void> {
    const reasons = refusals.map(({ What }) => What);
    const denied = reasons.find((reason) => DENIED.test(reason));
    if (denied !== undefined) throw new BackendError('CONFLICT', `consul does not let us write that: ${denied}`);
    if (reasons.some((reason) => NO_NODE.test(reason))) await this.reader.prepare(signal);
    else if (!reasons.some((reason) => LOST_RACE.test(reason))) {
      throw new BackendError('INVALID', `consul refuses: ${reasons.join('; ')}`);
    }
  }

  private store<T>(
    found: Known | undefined,
    record: InstanceRecord,
    beat: Beat | undefined,
    result: (instance: ServiceInstance) => T,
  ): Change<T> {
    const { layout, view } = this.parts;
    const done: Change<T>['done'] = (indexOf) => {
      const index = indexOf(layout.instance(record));
      const state = { index, value: () => ({ kind: 'record', record }) as const };
      view.take(record, state, beat && { index: indexOf(layout.heartbeat(record)), value: beat });
      return result({ ...record, version: String(index), vitals: (beat ?? found?.beat)?.vitals ?? {} });
    };
    return { operations: put(layout, found, record, beat), done };
  }

  /** @throws BackendError for a record that cannot be read: it is not ours to write over. */
  private previous(found: Known | undefined): InstanceRecord | undefined {
    if (found?.state.kind === 'unreadable') throw found.state.error;
    return recordIn(found);
  }

  private present(key: InstanceKey, found: Known | undefined, options: WriteOptions): InstanceRecord {
    const previous = this.previous(found);
    if (!previous) {
      this.refuseForeign(key);
      throw notFound(key);
    }
    checkVersion(key, String(found!.index), options);
    return previous;
  }

  private refuseForeign(key: InstanceKey): void {
    const node = this.parts.foreign.nodeOf(key);
    if (node === undefined) return;
    throw new BackendError(
      'CONFLICT',
      `${keyText(key)} was registered with Consul itself, on node ${node}: it can be changed there alone`,
    );
  }
}

function beatOf(known: Known | undefined, heartbeat: Heartbeat, now: number): Beat {
  return { vitals: { ...known?.beat?.vitals, ...vitalsOf(heartbeat, now) }, age: 0 };
}

function renewal(instance: ServiceInstance): Renewal {
  return { key: keyOf(instance), version: instance.version, vitals: instance.vitals, instance };
}
