import { LRUCache } from 'lru-cache';
import type { ConfigEntry, ConfigKey, ConfigStore } from '#core';

/** At most 16 MB of the largest documents. */
const REMEMBERED = 64;
const READ_DEADLINE_MS = 3_000;

interface Wanted {
  readonly key: ConfigKey;
  readonly version: number;
}

/** Versions by their numbers, for the many who watch and want the same one at about the same time: it is read once. */
export class Versions {
  private readonly read: LRUCache<string, ConfigEntry, Wanted>;

  constructor(store: ConfigStore) {
    this.read = new LRUCache<string, ConfigEntry, Wanted>({
      max: REMEMBERED,
      fetchMethod: (_name, _known, { context: { key, version } }) =>
        store.get(key, version, AbortSignal.timeout(READ_DEADLINE_MS)),
    });
  }

  get(key: ConfigKey, version: number): Promise<ConfigEntry | undefined> {
    return this.read.fetch(`${key}@${version}`, { context: { key, version } });
  }

  /** A line of versions was lost: numbers may be given out again. */
  clear(): void {
    this.read.clear();
  }
}
