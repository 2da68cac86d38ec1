import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BackendError, type InstanceKey } from '#core';
import { LOST_RACE } from './errors.js';
import { bury, hideUnrecorded } from './operations.js';
import type { Parts } from './parts.js';
import { CONSUL, keyShown } from './projection.js';
import { base64, decodeBeat, decodeState, parsed } from './stored.js';
import type { Answer, CheckEntry, KvEntry, Operation } from './types.js';
import { recordIn, type Known } from './view.js';

/** More services than this are read faster together. */
const MANY = 32;
/** The layout that this release reads and writes. */
const LAYOUT_FORMAT = 1;
const identity = z.looseObject({ v: z.number(), id: z.string() });

/** What a complete reading was true at, to follow from there. */
export interface Position {
  readonly asOf: number;
  readonly instances: number;
  readonly heartbeats: number;
  readonly services: number;
  readonly checks: Answer<readonly CheckEntry[]>;
  readonly changes: Marks;
}

/** For each of our services, at which index it last changed. */
export type Marks = ReadonlyMap<string, number>;

/** Reads from Consul what has changed, or all of it, into what this process knows. */
export class Reader {
  constructor(private readonly parts: Parts) {}

  /**
   * Has our folder and our nodes there, and finds out whether we may write them.
   * @returns Whose folder it is: another one after Consul has lost it.
   */
  async prepare(signal?: AbortSignal): Promise<string> {
    const { client, layout, writer } = this.parts;
    for (;;) {
      const [entry] = await client.get([layout.registry], signal);
      const owner = entry!.ModifyIndex === 0 ? { v: LAYOUT_FORMAT, id: randomUUID() } : identityIn(entry!);
      const folder = { Key: layout.registry, Index: entry!.ModifyIndex, Value: base64(owner) };
      const outcome = await writer.commit([{ KV: { Verb: 'cas', ...folder } }, ...layout.nodes.map(node)], signal);
      if ('indexOf' in outcome) return owner.id;
      const reasons = outcome.refusals.map(({ What }) => What);
      if (!reasons.every((reason) => LOST_RACE.test(reason))) {
        throw new BackendError('NOT_SUPPORTED', `consul: ${reasons[0]}`);
      }
    }
  }

  /** Everything there is. */
  async read(signal: AbortSignal): Promise<Position> {
    const { client, layout, view, foreign } = this.parts;
    const asOf = client.seen;
    const [instances, services, checks, heartbeats, changes] = await Promise.all([
      client.folders(layout.instances, { signal }),
      client.services(layout.foreign, { signal }),
      client.checks(layout.foreign, { signal }),
      client.entries(layout.heartbeats, { signal }),
      client.entries(layout.changes, { signal }),
    ]);
    const { body } = await client.entries(layout.instances, { signal });
    view.reconcile(body, asOf);
    view.beats(heartbeats.body);
    const tables = { services: services.index, checks: checks.index };
    await Promise.all([this.verify(signal), foreign.readAllAt(tables, Object.keys(services.body), signal)]);
    return {
      asOf,
      instances: instances.index,
      heartbeats: heartbeats.index,
      services: services.index,
      checks,
      changes: this.marks(changes.body),
    };
  }

  /**
   * What has changed of our own: of the services that say so, or of all where somebody has changed
   * something past us, which says nothing.
   */
  async readChanges(since: Marks, until: number, signal: AbortSignal): Promise<Marks> {
    const { client, layout, view } = this.parts;
    const asOf = client.seen;
    const { body, index } = await client.entries(layout.changes, { signal });
    const marks = this.marks(body);
    const names = new Set([...since.keys(), ...marks.keys(), ...view.serviceNames()]);
    const changed = [...names].filter((name) => !marks.has(name) || since.get(name) !== marks.get(name));
    if (index < until || changed.length > MANY) {
      const all = await client.entries(layout.instances, { signal });
      view.reconcile(all.body, asOf);
      return marks;
    }
    const read = async (name: string) => {
      const { body: entries } = await client.entries(layout.service(name), { signal });
      view.reconcile(entries, asOf, name);
    };
    await Promise.all(changed.map(read));
    return marks;
  }

  /** One of our own, as it is now. */
  async look(key: InstanceKey, signal?: AbortSignal): Promise<Known | undefined> {
    const { client, layout, view } = this.parts;
    const asOf = client.seen;
    const [stored, heartbeat] = await client.get([layout.instance(key), layout.heartbeat(key)], signal);
    const { ModifyIndex: index, Value } = stored!;
    if (index === 0) view.lose(key, asOf);
    else view.take(key, { index, value: () => decodeState(key, Value) });
    if (heartbeat!.ModifyIndex > 0) {
      view.beat(key, { index: heartbeat!.ModifyIndex, value: () => decodeBeat(heartbeat!.Value) });
    }
    return view.get(key);
  }

  /**
   * Makes records and catalog say the same again, where somebody has changed one of them past us: without
   * a place in the catalog an instance is removed, and without a record it is taken out of the catalog.
   */
  async verify(signal: AbortSignal): Promise<void> {
    const { client, layout, view } = this.parts;
    const asOf = client.seen;
    const nodes = await Promise.all(layout.nodes.map((name) => client.node(name, signal)));
    const shown = new Map(
      nodes.flatMap(({ body }) => Object.values(body?.Services ?? {})).map((each) => [each.ID, each]),
    );
    const hidden: Known[] = [];
    for (const known of view.all()) {
      const id = layout.catalogId(known.key);
      if (recordIn(known) && !shown.has(id) && known.index <= asOf) hidden.push(known);
      shown.delete(id);
    }
    const unknown = [...shown.values()].flatMap((each) => keyShown(each) ?? []);
    await Promise.all([...hidden.map((known) => this.bury(known)), ...unknown.map((key) => this.hide(key))]);
  }

  private async bury(known: Known): Promise<void> {
    const { layout, view, writer } = this.parts;
    const grave = { cause: 'unknown', actor: CONSUL } as const;
    const outcome = await writer.commit(bury(layout, known, grave));
    if (!('indexOf' in outcome)) return;
    const index = outcome.indexOf(layout.instance(known.key));
    view.take(known.key, { index, value: () => ({ kind: 'removed', grave }) });
  }

  private async hide(key: InstanceKey): Promise<void> {
    const { layout, writer } = this.parts;
    // Refused where it is one that we do not know yet.
    await writer.commit(hideUnrecorded(layout, key));
  }

  private marks(entries: readonly KvEntry[]): Marks {
    const from = this.parts.layout.changes.length;
    return new Map(entries.map(({ Key, ModifyIndex }) => [Key.slice(from), ModifyIndex]));
  }
}

function node(name: string): Operation {
  // No agent speaks for it, and nobody connects to it: each instance has an address of its own.
  return { Node: { Verb: 'set', Node: { Node: name, Address: '127.0.0.1', Meta: { 'external-node': 'true' } } } };
}

function identityIn({ Key, Value }: KvEntry): z.output<typeof identity> {
  const { data } = identity.safeParse(parsed(Value));
  if (data && data.v <= LAYOUT_FORMAT) return data;
  throw new BackendError('NOT_SUPPORTED', `consul: ${Key} in the KV store is not of this release: ${Value}`);
}
