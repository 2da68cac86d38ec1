import { keyOf, keyText, sameValue, Turns, type InstanceKey, type RegistryChange, type ServiceInstance } from '#core';
import type { ConsulClient } from './client.js';
import { foreignRecords, type ForeignRecord } from './foreign-instances.js';
import type { Layout } from './layout.js';
import { CONSUL } from './projection.js';

/** Reads of services at the same time; less than there are connections, so that others get through. */
const READERS = 16;

interface Foreign {
  readonly node: string;
  readonly instance: ServiceInstance;
}

/** The indexes of Consul's tables. */
export interface Tables {
  readonly services: number;
  readonly checks: number;
}

export interface ForeignContext {
  readonly client: ConsulClient;
  readonly layout: Layout;
  readonly tell: (change: RegistryChange) => void;
  readonly now: () => number;
  /** Whether an instance of ours has this key. */
  readonly taken: (key: InstanceKey) => boolean;
}

/** What others have registered with Consul itself, as this process has last seen it, and the news of it. */
export class ForeignInstances {
  /** By service as Consul writes it, then by key. */
  private services = new Map<string, ReadonlyMap<string, Foreign>>();
  private readonly turns = new Turns();
  private changes = 0;
  /** Where Consul's tables stood when all was last read with them. */
  private readAt: Tables | undefined;

  constructor(private readonly context: ForeignContext) {}

  *instances(): Iterable<ServiceInstance> {
    for (const service of this.services.values()) for (const { instance } of service.values()) yield instance;
  }

  /** The node that has registered this instance. */
  nodeOf(key: InstanceKey): string | undefined {
    const text = keyText(key);
    for (const service of this.services.values()) {
      const found = service.get(text);
      if (found) return found.node;
    }
    return undefined;
  }

  /** The services that have an instance on a node. */
  servicesOn(node: string): string[] {
    return [...this.services].flatMap(([name, service]) =>
      [...service.values()].some((each) => each.node === node) ? [name] : [],
    );
  }

  forget(): void {
    this.services = new Map();
    this.readAt = undefined;
  }

  /** All of these services, unless both of Consul's tables are what they were when that was last done. */
  async readAllAt(tables: Tables, names: Iterable<string>, signal: AbortSignal): Promise<void> {
    if (sameValue(this.readAt, tables)) return;
    await this.readAll(names, tables.services, signal);
    this.readAt = tables;
  }

  /** There are these services and no others, as of this index. Whether that was news. */
  async readAll(names: Iterable<string>, index: number, signal: AbortSignal): Promise<boolean> {
    const before = this.changes;
    const there = new Set(names);
    for (const name of [...this.services.keys()]) if (!there.has(name)) this.replace(name, new Map(), index);
    await this.read(there, signal);
    return this.changes > before;
  }

  async read(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    const waiting = [...names].filter((name) => name !== CONSUL);
    const reader = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await this.readService(name, signal);
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }

  /** One at a time, so that an older answer does not come after a newer one. */
  private readService(name: string, signal: AbortSignal): Promise<void> {
    return this.turns.take(name, async () => {
      const { client, layout, taken } = this.context;
      const { body, index } = await client.health(name, signal);
      const foreign = body.filter(({ Node }) => !layout.nodes.includes(Node.Node));
      this.replace(name, foreignRecords(foreign, taken), index);
    });
  }

  private replace(name: string, records: ReadonlyMap<string, ForeignRecord>, index: number): void {
    const before = this.services.get(name) ?? new Map<string, Foreign>();
    const after = new Map<string, Foreign>();
    for (const [key, found] of records) after.set(key, this.next(before.get(key), found, index));
    if (after.size > 0) this.services.set(name, after);
    else this.services.delete(name);
    for (const [key, { instance }] of after) {
      if (before.get(key)?.instance !== instance) this.tell({ kind: 'upsert', instance });
    }
    for (const [key, { instance }] of before) {
      const version = newer(instance, index);
      if (!after.has(key)) this.tell({ kind: 'remove', key: keyOf(instance), version, cause: 'unknown' });
    }
  }

  private tell(change: RegistryChange): void {
    this.changes++;
    this.context.tell(change);
  }

  /** The very same while nothing has changed. */
  private next(before: Foreign | undefined, { node, record }: ForeignRecord, index: number): Foreign {
    const at = this.context.now();
    if (!before) {
      const changed = { cause: 'registered', actor: CONSUL, at } as const;
      return { node, instance: { ...record, registeredAt: at, changed, version: String(index), vitals: {} } };
    }
    const { registeredAt, changed, version, vitals, ...previous } = before.instance;
    if (node === before.node && sameValue(previous, record)) return before;
    const cause = causeOf(previous, record);
    const instance = {
      ...record,
      registeredAt,
      changed: { cause, actor: CONSUL, at },
      version: newer(before.instance, index),
      vitals,
    };
    return { node, instance };
  }
}

function causeOf(
  before: ForeignRecord['record'],
  after: ForeignRecord['record'],
): 'maintenance' | 'status' | 'updated' {
  if (!sameValue(before.maintenance, after.maintenance)) return 'maintenance';
  return before.reported === after.reported ? 'updated' : 'status';
}

/** The index of the read that found the change, unless Consul's index has not moved with it. */
function newer({ version }: ServiceInstance, index: number): string {
  return String(Math.max(index, Number(version) + 1));
}
