import {
  decodeEntry,
  encodeEntry,
  forgottenBy,
  staleVersion,
  watchByReading,
  type ConfigEntry,
  type ConfigHeads,
  type ConfigKey,
  type ConfigStore,
} from '#core';
import type { Connection } from './connection.js';
import { scriptOf } from './scripts.js';

const NEWEST = scriptOf(
  { writes: false },
  `
local newest = redis.call('HGET', KEYS[1], ARGV[1])
return newest and redis.call('HGET', KEYS[2], newest)
`,
);

/** → 1, or 0 when the newest version is another one. */
const APPEND = scriptOf(
  { writes: true },
  `
local key, previous, version, entry, first, last = unpack(ARGV)
if (redis.call('HGET', KEYS[1], key) or '0') ~= previous then return 0 end
redis.call('HSET', KEYS[1], key, version)
redis.call('HSET', KEYS[2], version, entry)
for old = first, last do redis.call('HDEL', KEYS[2], string.format('%d', old)) end
return 1
`,
);

/** Configuration in Redis: a hash of the newest version of each key, and for each key a hash of its versions. */
export class RedisConfigStore implements ConfigStore {
  /** The braces make them one hash slot of a Redis Cluster. */
  private readonly root: string;

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.root = `{${prefix}}:configuration`;
  }

  async heads(signal?: AbortSignal): Promise<ConfigHeads> {
    const found = await this.connection.read((client) => client.hgetall(this.root), signal);
    return new Map(Object.entries(found).map(([key, version]) => [key, Number(version)]));
  }

  async get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined> {
    const [heads, versions] = this.keysOf(key);
    const text =
      version === undefined
        ? await this.connection.run(NEWEST, [heads, versions], [key], signal)
        : await this.connection.read((client) => client.hget(versions, String(version)), signal);
    return text === null ? undefined : decodeEntry(key, text as string);
  }

  async append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void> {
    const { version, previous } = entry;
    const args = [key, previous, version, encodeEntry(entry), ...forgottenBy(entry)];
    const done = await this.connection.run(APPEND, this.keysOf(key), args, signal);
    if (done === 0) throw staleVersion(key, previous);
  }

  watch(signal: AbortSignal): AsyncIterable<ConfigHeads> {
    return watchByReading((each) => this.heads(each), signal);
  }

  private keysOf(key: ConfigKey): [heads: string, versions: string] {
    return [this.root, `${this.root}:${key}`];
  }
}
