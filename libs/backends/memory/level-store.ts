import { BackendError, decodeEntry, decodeRecord, encodeEntry, encodeRecord } from '#core';
import type { ConfigEntry, JsonObject } from '#core';
import { claimFolder, corrupt, newer, replaced } from './data-folder.js';
import { CONFIGURATION, LevelDatabase, REGISTRY, type Part } from './level-database.js';
import type { Store, StoredInstance, StoredState } from './store.js';

/** How what is kept becomes text. */
interface Form<T> {
  encode(value: T): string;
  /** @throws BackendError `NOT_SUPPORTED` for what a newer release has written, any other Error for what is not readable. */
  decode(text: string, key: string): T;
}

const INSTANCES: Form<StoredInstance> = {
  encode: ({ record, version, lastHeartbeat }) => JSON.stringify({ ...encodeRecord(record), version, lastHeartbeat }),
  decode: (text) => {
    const { version, lastHeartbeat, ...record } = JSON.parse(text) as JsonObject;
    if (typeof version !== 'string' || typeof lastHeartbeat !== 'number') throw new Error('no version or heartbeat');
    return { record: decodeRecord(record), version, lastHeartbeat };
  },
};
const VERSIONS: Form<ConfigEntry> = { encode: encodeEntry, decode: (text, key) => decodeEntry(key, text) };

/**
 * Keeps the registry, or the configuration, in a folder:
 *
 *     service-discovery.json       whose folder it is, and its format
 *     acknowledged                 the highest version that was acknowledged
 *     registry/                    LevelDB: `meta`, and one `instance/SERVICE/ID` for each instance
 *     configuration-acknowledged   so many versions of configuration were acknowledged
 *     configuration/               LevelDB: `meta`, and one `version/KEY@VERSION` for each
 */
export class LevelStore<T> implements Store<T> {
  private database: LevelDatabase | undefined;
  private incarnation = '';
  private acknowledged = 0;
  private closed = false;

  private constructor(
    private readonly dataDir: string,
    private readonly part: Part,
    private readonly form: Form<T>,
  ) {}

  static ofInstances(dataDir: string): LevelStore<StoredInstance> {
    return new LevelStore(dataDir, REGISTRY, INSTANCES);
  }

  static ofConfiguration(dataDir: string): LevelStore<ConfigEntry> {
    return new LevelStore(dataDir, CONFIGURATION, VERSIONS);
  }

  async open(): Promise<StoredState<T>> {
    await claimFolder(this.dataDir);
    const { database, values } = await LevelDatabase.open(this.dataDir, this.part, true);
    this.database = database;
    try {
      if (this.closed) throw new Error('the store was closed while it opened');
      const { incarnation, lastVersion } = database;
      this.incarnation = incarnation;
      this.acknowledged = lastVersion;
      const decoded = new Map([...values].map(([key, text]) => [key, this.decode(text, key)]));
      return { incarnation, lastVersion, values: decoded };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async write(changes: ReadonlyMap<string, T | undefined>, lastVersion: number): Promise<void> {
    if (this.closed) throw new Error('the store is closed');
    const values = new Map([...changes].map(([key, value]) => [key, value && this.form.encode(value)]));
    this.database ??= (await LevelDatabase.open(this.dataDir, this.part, false)).database;
    try {
      // What is there after a failure may be another registry by now, or an old copy of this one.
      const { incarnation, lastVersion: found } = this.database;
      if (incarnation !== this.incarnation || found < this.acknowledged) throw replaced(this.dataDir);
      await this.database.write(values, lastVersion);
      this.acknowledged = lastVersion;
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.abandon();
  }

  /** The next write opens anew, and finds what has become of this one. */
  private async abandon(): Promise<void> {
    const { database } = this;
    this.database = undefined;
    await database?.close();
  }

  private decode(text: string, key: string): T {
    try {
      return this.form.decode(text, key);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NOT_SUPPORTED') throw newer(this.dataDir, error);
      throw corrupt(this.dataDir, `one of the ${this.part.things} is not readable`, error);
    }
  }
}
