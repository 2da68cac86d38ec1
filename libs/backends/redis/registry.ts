import {
  BackendError,
  type Heartbeat,
  type InstanceRecord,
  type Logger,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
  type Version,
} from '#core';
import { Batch } from './batch.js';
import type { Connection } from './connection.js';
import type { Keys } from './keys.js';
import { PAGE, PUT, REMOVE, RENEW, STATE, TICK, type Script } from './scripts.js';
import { decode, encode, readInstance, type StoredRecord } from './stored.js';

/** Instances read in one call: Redis serves nobody else meanwhile. */
const PAGE_SIZE = 500;
/** How often a reading is begun again because the data have become others meanwhile. */
const READINGS = 3;

/** Where the registry stands. */
export interface State {
  /** Another one when data were lost or have gone back. */
  readonly epoch: string;
  readonly version: Version;
}

/** The registry's data in Redis; each method is one round trip at most, but for `list`. */
export class Registry {
  private readonly allKeys: readonly string[];
  private readonly puts = this.batchOf<string | [string | null]>(PUT);
  private readonly renewals = this.batchOf<string | [version: string, record: string] | 0 | null>(RENEW);
  /** Records at the last listing. */
  private unreadable = 0;

  constructor(
    private readonly connection: Connection,
    private readonly keys: Keys,
    private readonly logger: Logger,
  ) {
    this.allKeys = Object.values(keys);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.connection.read((client) => client.hget(this.keys.registry, 'epoch'), signal);
  }

  async state(): Promise<State> {
    const [epoch, version] = (await this.run(STATE, [])) as [string, Version];
    return { epoch, version };
  }

  /** @throws BackendError `CONFLICT` for what cannot be read. */
  async get(key: string, signal?: AbortSignal): Promise<StoredRecord | undefined> {
    const text = await this.connection.read((client) => client.hget(this.keys.instances, key), signal);
    return text === null ? undefined : decode(key, text);
  }

  /**
   * Stores a record if the version is still the one given, undefined for none.
   * @param beat Begins the lease anew; milliseconds since the epoch.
   * @returns The new version, or what is there instead.
   */
  async put(
    key: string,
    expected: Version | undefined,
    record: InstanceRecord,
    beat: number | undefined,
    signal?: AbortSignal,
  ): Promise<{ version: Version } | { current: StoredRecord | undefined }> {
    const args = [key, expected ?? '', encode(record), beat ?? ''];
    const answer = await this.puts.ask(args, signal);
    if (typeof answer === 'string') return { version: answer };
    const [current] = answer;
    return { current: current === null ? undefined : decode(key, current) };
  }

  /**
   * @param wanted Whether to bring the record.
   * @returns undefined for none, `conflict` at another version.
   */
  async renew(
    key: string,
    heartbeat: Pick<Heartbeat, 'loadPercentage' | 'activeConnections'>,
    options: { beat: number; ifVersion: Version | undefined; wanted: boolean; signal: AbortSignal | undefined },
  ): Promise<{ version: Version; stored?: StoredRecord } | 'conflict' | undefined> {
    const { beat, ifVersion, wanted, signal } = options;
    const { loadPercentage, activeConnections } = heartbeat;
    const besides = [loadPercentage, activeConnections, wanted ? 1 : undefined, ifVersion];
    const said = besides.some((each) => each !== undefined) ? [beat, ...besides].join(' ') : beat;
    const answer = await this.renewals.ask([key, said], signal);
    if (answer === null) return undefined;
    if (answer === 0) return 'conflict';
    if (typeof answer === 'string') return { version: answer };
    const [version, text] = answer;
    return { version, stored: decode(key, text) };
  }

  /** @returns undefined for none, `conflict` at another version. */
  async remove(
    key: string,
    ifVersion: Version | undefined,
    cause: RemovalCause,
    actor: string,
    signal?: AbortSignal,
  ): Promise<{ version: Version } | 'conflict' | undefined> {
    const version = (await this.run(REMOVE, [key, ifVersion ?? '', cause, actor], signal)) as string | 0 | null;
    if (version === null) return undefined;
    return version === 0 ? 'conflict' : { version };
  }

  /** Ends leases that have run out, at most so many at once. */
  async tick(): Promise<State & { expired: number }> {
    const [epoch, version, expired] = (await this.run(TICK, [])) as [string, string, number];
    return { epoch, version, expired };
  }

  /** By pages: what changes meanwhile is newer than `asOf`, and may or may not be in it. */
  async list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    for (let reading = 1; reading <= READINGS; reading++) {
      const snapshot = await this.readAll(signal);
      if (snapshot) return snapshot;
    }
    throw new BackendError('UNAVAILABLE', 'the data in Redis were lost or replaced while they were read');
  }

  /** undefined when the data have become others meanwhile. */
  private async readAll(signal: AbortSignal | undefined): Promise<RegistrySnapshot | undefined> {
    const instances = new Map<string, ServiceInstance | undefined>();
    let first: State | undefined;
    let cursor = '0';
    do {
      const page = (await this.run(PAGE, [cursor, PAGE_SIZE], signal)) as Page;
      const [epoch, version, next, records, heartbeats, loads] = page;
      first ??= { epoch, version };
      if (epoch !== first.epoch) return undefined;
      // A page may bring again what an earlier one has brought, as it is now.
      for (let i = 0; i < heartbeats.length; i++) {
        const key = records[2 * i]!;
        instances.set(key, readInstance(key, records[2 * i + 1]!, heartbeats[i]!, loads[i]!));
      }
      cursor = next;
    } while (cursor !== '0');
    const readable = [...instances.values()].filter((instance) => instance !== undefined);
    this.report(instances.size - readable.length);
    return { instances: readable, asOf: first.version, incarnation: first.epoch };
  }

  private report(unreadable: number): void {
    if (unreadable > 0 && unreadable !== this.unreadable) {
      this.logger.warn({ unreadable }, 'records in Redis cannot be read by this release: they are left out');
    }
    this.unreadable = unreadable;
  }

  private batchOf<Answer>(script: Script): Batch<readonly (string | number)[], Answer> {
    return new Batch(async (all) => (await this.run(script, all.flat())) as Answer[]);
  }

  private run(script: Script, args: readonly (string | number)[], signal?: AbortSignal): Promise<unknown> {
    return this.connection.run(script, this.allKeys, args, signal);
  }
}

type Page = [
  epoch: string,
  version: Version,
  cursor: string,
  records: string[],
  heartbeats: (string | null)[],
  loads: (string | null)[],
];
