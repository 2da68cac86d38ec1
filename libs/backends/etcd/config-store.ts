import {
  abortable,
  asBackendError,
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

const DIGITS = 16;

/**
 * Configuration in etcd: `PREFIX/configuration/heads/KEY` is the number of the newest version, and
 * `PREFIX/configuration/versions/KEY/NUMBER` a version. A transaction writes both.
 */
export class EtcdConfigStore implements ConfigStore {
  private readonly root: string;

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.root = `${prefix}configuration/`;
  }

  async heads(signal?: AbortSignal): Promise<ConfigHeads> {
    const begin = `${this.root}heads/`;
    // '0' follows '/'.
    const range = { key: Buffer.from(begin), range_end: Buffer.from(`${this.root}heads0`) };
    const { kvs } = await this.heard(() => this.connection.client.list(range, signal), signal);
    return new Map(kvs.map(({ key, value }) => [key.toString().slice(begin.length), Number(value.toString())]));
  }

  async get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined> {
    const wanted = version ?? Number((await this.read(this.head(key), signal)) ?? 0);
    const text = await this.read(this.version(key, wanted), signal);
    return text === undefined ? undefined : decodeEntry(key, text);
  }

  async append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    const [head, { version, previous }] = [this.head(key), entry];
    const [first, last] = forgottenBy(entry);
    const forget = { key: this.version(key, first), range_end: this.version(key, last + 1) };
    const written = this.connection.client.transact({
      compare: [
        previous === 0
          ? { key: head, target: 'Create', result: 'Equal', create_revision: '0' }
          : { key: head, target: 'Value', result: 'Equal', value: Buffer.from(String(previous)) },
      ],
      success: [
        { request_put: { key: head, value: Buffer.from(String(version)) } },
        { request_put: { key: this.version(key, version), value: Buffer.from(encodeEntry(entry)) } },
        ...(first <= last ? [{ request_delete_range: forget }] : []),
      ],
    });
    const { succeeded } = await abortable(written, signal).catch((error: unknown) => {
      throw asBackendError(error, 'OUTCOME_UNKNOWN');
    });
    if (!succeeded) throw staleVersion(key, previous);
  }

  watch(signal: AbortSignal): AsyncIterable<ConfigHeads> {
    return watchByReading((each) => this.heads(each), signal);
  }

  private head(key: ConfigKey): Buffer {
    return Buffer.from(`${this.root}heads/${key}`);
  }

  private version(key: ConfigKey, version: number): Buffer {
    return Buffer.from(`${this.root}versions/${key}/${String(version).padStart(DIGITS, '0')}`);
  }

  private async read(key: Buffer, signal: AbortSignal | undefined): Promise<string | undefined> {
    return (await this.heard(() => this.connection.client.get(key), signal))?.value.toString();
  }

  private async heard<T>(ask: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    try {
      return await abortable(ask(), signal);
    } catch (error) {
      throw asBackendError(error);
    }
  }
}
