import { BackendError, decodeRecord, encodeRecord, type JsonObject } from '#core';
import { claimFolder, corrupt, newer, replaced } from './data-folder.js';
import { LevelDatabase } from './level-database.js';
import type { Store, StoredInstance, StoredState } from './store.js';

/**
 * Keeps the registry in a folder:
 *
 *     service-discovery.json   whose folder it is, and its format
 *     acknowledged             the highest version that was acknowledged
 *     registry/                LevelDB: `meta`, and one `instance/SERVICE/ID` for each instance
 */
export class LevelStore implements Store {
  private database: LevelDatabase | undefined;
  private incarnation = '';
  private acknowledged = 0;
  private closed = false;

  constructor(private readonly dataDir: string) {}

  async open(): Promise<StoredState> {
    await claimFolder(this.dataDir);
    const { database, values } = await LevelDatabase.open(this.dataDir, true);
    this.database = database;
    try {
      if (this.closed) throw new Error('the store was closed while it opened');
      const { incarnation, lastVersion } = database;
      this.incarnation = incarnation;
      this.acknowledged = lastVersion;
      return { incarnation, lastVersion, instances: values.map((value) => this.decode(value)) };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async write(changes: ReadonlyMap<string, StoredInstance | undefined>, lastVersion: number): Promise<void> {
    if (this.closed) throw new Error('the store is closed');
    const values = new Map([...changes].map(([key, instance]) => [key, instance && encode(instance)]));
    this.database ??= (await LevelDatabase.open(this.dataDir, false)).database;
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

  private decode(text: string): StoredInstance {
    try {
      const { version, lastHeartbeat, ...record } = JSON.parse(text) as JsonObject;
      if (typeof version !== 'string' || typeof lastHeartbeat !== 'number') throw new Error('no version or heartbeat');
      return { record: decodeRecord(record), version, lastHeartbeat };
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NOT_SUPPORTED') throw newer(this.dataDir, error);
      throw corrupt(this.dataDir, 'a record is not readable', error);
    }
  }
}

function encode({ record, version, lastHeartbeat }: StoredInstance): string {
  return JSON.stringify({ ...encodeRecord(record), version, lastHeartbeat });
}
