import {
  asBackendError,
  BackendError,
  checkPrevious,
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
import type { ConsulClient } from './client.js';
import { LOST_RACE } from './errors.js';
import type { KvEntry, Operation } from './types.js';
import type { Writer } from './writer.js';

/**
 * Configuration in Consul's KV store: `NAME/configuration/heads/KEY` is the number of the newest version, and
 * `NAME/configuration/versions/KEY/NUMBER` a version. A transaction writes both.
 */
export class ConsulConfigStore implements ConfigStore {
  private readonly root: string;

  constructor(
    private readonly client: ConsulClient,
    private readonly writer: Writer,
    name: string,
  ) {
    this.root = `${name}/configuration/`;
  }

  async heads(signal?: AbortSignal): Promise<ConfigHeads> {
    const begin = `${this.root}heads/`;
    const { body } = await this.client.entries(begin, { signal });
    return new Map(body.map(({ Key, Value }) => [Key.slice(begin.length), Number(Value)]));
  }

  async get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined> {
    const wanted = version ?? Number((await this.read(this.head(key), signal)).Value);
    if (wanted === 0) return undefined;
    const { Value } = await this.read(this.version(key, wanted), signal);
    return Value === null ? undefined : decodeEntry(key, Value);
  }

  async append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void> {
    const { Value, ModifyIndex } = await this.read(this.head(key), signal);
    checkPrevious(key, Number(Value), entry);
    const [first, last] = forgottenBy(entry);
    const operations: Operation[] = [
      { KV: { Verb: 'cas', Key: this.head(key), Index: ModifyIndex, Value: base64(String(entry.version)) } },
      { KV: { Verb: 'set', Key: this.version(key, entry.version), Value: base64(encodeEntry(entry)) } },
    ];
    for (let old = first; old <= last; old++) operations.push({ KV: { Verb: 'delete', Key: this.version(key, old) } });
    const outcome = await this.writer.commit(operations, signal);
    if ('indexOf' in outcome) return;
    const reasons = outcome.refusals.map(({ What }) => What);
    if (reasons.some((reason) => LOST_RACE.test(reason))) throw staleVersion(key, entry.previous);
    throw new BackendError('UNAVAILABLE', `consul refuses: ${reasons.join('; ')}`);
  }

  watch(signal: AbortSignal): AsyncIterable<ConfigHeads> {
    return watchByReading((each) => this.heads(each), signal);
  }

  private head(key: ConfigKey): string {
    return `${this.root}heads/${key}`;
  }

  private version(key: ConfigKey, version: number): string {
    return `${this.root}versions/${key}/${version}`;
  }

  /** With a null value, at index 0, where there is nothing. */
  private async read(key: string, signal: AbortSignal | undefined): Promise<KvEntry> {
    try {
      const [entry] = await this.client.get([key], signal);
      return entry!;
    } catch (error) {
      throw asBackendError(error);
    }
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
