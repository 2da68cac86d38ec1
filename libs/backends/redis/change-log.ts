import type { RemovalCause, ServiceInstance, Version } from '#core';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { readInstance } from './stored.js';

/** Entries read at once. */
const BATCH = 500;

/** That an instance has changed, or why it has gone; the record itself is not in it. */
export interface Change {
  readonly version: Version;
  readonly key: string;
  readonly removal?: { readonly cause: RemovalCause; readonly actor: string };
}

export interface News {
  /** In order. */
  readonly changes: readonly Change[];
  /** Whose load was told. */
  readonly loads: readonly string[];
  /** What they all are now, undefined for what cannot be read; what is not there any more is not in it. */
  readonly instances: ReadonlyMap<string, ServiceInstance | undefined>;
}

const NOTHING: News = { changes: [], loads: [], instances: new Map() };

type Entry = [id: string, fields: string[]];

/** The streams of changes and of loads, on a connection of their own: reading them waits. */
export class ChangeLog {
  private loadsReadTo = '0';

  constructor(
    private readonly connection: Connection,
    private readonly keys: Keys,
  ) {}

  /** What came after this version, waiting for it for so long; 0: not at all. */
  async after(version: Version, waitMs: number): Promise<News> {
    const { changes, loadChanges } = this.keys;
    const from = [changes, loadChanges, `${version}-0`, this.loadsReadTo] as const;
    const streams = await this.connection.read((client) =>
      waitMs > 0
        ? client.xread('COUNT', BATCH, 'BLOCK', waitMs, 'STREAMS', ...from)
        : client.xread('COUNT', BATCH, 'STREAMS', ...from),
    );
    if (!streams) return NOTHING;
    const entries = new Map(streams);
    const told = entries.get(loadChanges) ?? [];
    const news = {
      changes: (entries.get(changes) ?? []).map(changeIn),
      loads: told.map(([, fields]) => fieldsIn(fields).key ?? ''),
    };
    const instances = await this.read([
      ...news.changes.flatMap(({ key, removal }) => (removal ? [] : [key])),
      ...news.loads,
    ]);
    this.loadsReadTo = told.at(-1)?.[0] ?? this.loadsReadTo;
    return { ...news, instances };
  }

  private async read(asked: readonly string[]): Promise<News['instances']> {
    const keys = [...new Set(asked)];
    if (keys.length === 0) return NOTHING.instances;
    const { instances, heartbeats, loads } = this.keys;
    const [records, beats, told] = await Promise.all(
      [instances, heartbeats, loads].map((hash) => this.connection.read((client) => client.hmget(hash, ...keys))),
    );
    const found = new Map<string, ServiceInstance | undefined>();
    keys.forEach((key, i) => {
      const record = records![i];
      if (record != null) found.set(key, readInstance(key, record, beats![i] ?? null, told![i] ?? null));
    });
    return found;
  }
}

function changeIn([id, fields]: Entry): Change {
  const { key = '', cause, actor = '' } = fieldsIn(fields);
  const version = id.slice(0, id.indexOf('-'));
  return { version, key, ...(cause !== undefined && { removal: { cause: cause as RemovalCause, actor } }) };
}

function fieldsIn(fields: readonly string[]): Partial<Record<string, string>> {
  const named: Partial<Record<string, string>> = {};
  for (let i = 0; i < fields.length; i += 2) named[fields[i]!] = fields[i + 1];
  return named;
}
