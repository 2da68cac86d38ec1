import { createHash } from 'node:crypto';
import {
  asBackendError,
  BackendError,
  checkPrevious,
  compareVersions,
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
import type { Client } from './client.js';
import { hasStatus } from './errors.js';
import { MANAGER } from './names.js';
import { CONFIG_MAPS, pathOf, versionOf, type ConfigMap, type KubernetesObject } from './objects.js';

const HASH_LENGTH = 32;
const DEADLINE_MS = 3_000;

/**
 * Configuration as ConfigMaps, an immutable one a version. Those of a key are numbered one by one, and the number is
 * part of the name: of those who create the next, one is first. A label says which is the newest. It is taken off the
 * one before only afterwards, so there may be two that have it; the one with the higher number is the newest.
 */
export class KubernetesConfigStore implements ConfigStore {
  private readonly path: string;
  private readonly document: string;
  private readonly version: string;
  private readonly newest: string;
  private readonly number: string;

  constructor(
    private readonly client: Client,
    private readonly namespace: string,
    private readonly prefix: string,
  ) {
    this.path = pathOf(CONFIG_MAPS, namespace);
    this.document = `${prefix}/document`;
    this.version = `${prefix}/version`;
    this.newest = `${prefix}/newest`;
    this.number = `${prefix}/number`;
  }

  async heads(signal?: AbortSignal): Promise<ConfigHeads> {
    const labelSelector = `${MANAGER}=${this.prefix},${this.newest}`;
    const { items } = await this.client.listMetadata(this.path, { labelSelector }, signal);
    const heads = new Map<ConfigKey, number>();
    for (const item of items) {
      const key = item.metadata.annotations?.[this.document];
      if (key !== undefined) heads.set(key, Math.max(this.numberIn(item, this.version), heads.get(key) ?? 0));
    }
    return heads;
  }

  async get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined> {
    const which = version === undefined ? this.newest : `${this.version}=${version}`;
    const found = await this.find(key, which, signal);
    return found && decodeEntry(key, found.data?.entry ?? '');
  }

  async append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void> {
    const head = await this.find(key, this.newest, signal);
    checkPrevious(key, head ? this.numberIn(head, this.version) : 0, entry);
    const made = this.make(key, entry, head ? this.numberIn(head, this.number) + 1 : 1);
    const created = await this.client.create<ConfigMap>(this.path, made, signal).catch((error: unknown) => {
      throw hasStatus(error, 409) ? staleVersion(key, entry.previous) : error;
    });
    await this.tidy(key, created, entry).catch((error: unknown) => {
      // It is stored; what was left to do the next write does.
      const { code, message } = asBackendError(error);
      throw code === 'CONFLICT' ? error : new BackendError('OUTCOME_UNKNOWN', message, { cause: error });
    });
  }

  watch(signal: AbortSignal): AsyncIterable<ConfigHeads> {
    return watchByReading((each) => this.heads(each), signal);
  }

  /** Of several, the one with the highest number. */
  private async find(key: ConfigKey, which: string, signal: AbortSignal | undefined): Promise<ConfigMap | undefined> {
    const labelSelector = `${this.selectorOf(key)},${which}`;
    const { items } = await this.client.list<ConfigMap>(this.path, { labelSelector }, signal, DEADLINE_MS);
    return items.toSorted((a, b) => this.numberIn(b, this.number) - this.numberIn(a, this.number))[0];
  }

  /**
   * Takes the label off those before, and removes what is too old.
   *
   * Whoever has stood still since it read the newest version may have created one that had been there and was too old
   * already. Then those that follow it are older than it is, and it takes its own back.
   */
  private async tidy(key: ConfigKey, created: ConfigMap, entry: ConfigEntry): Promise<void> {
    const { items } = await this.client.listMetadata(this.path, { labelSelector: this.selectorOf(key) });
    const number = this.numberIn(created, this.number);
    const others = items.filter((item) => this.numberIn(item, this.number) !== number);
    const isAfter = (item: KubernetesObject) => this.numberIn(item, this.number) > number;
    if (others.some((item) => isAfter(item) && compareVersions(versionOf(item), versionOf(created)) < 0)) {
      await this.remove(created);
      throw staleVersion(key, entry.previous);
    }
    const [, last] = forgottenBy(entry);
    const before = others.filter((item) => !isAfter(item));
    const old = before.filter((item) => this.numberIn(item, this.version) <= last);
    const marked = before.filter((item) => !old.includes(item) && item.metadata.labels?.[this.newest] !== undefined);
    await Promise.all([...old.map((item) => this.remove(item)), ...marked.map((item) => this.unmark(item))]);
  }

  private make(key: ConfigKey, entry: ConfigEntry, number: number): ConfigMap {
    return {
      apiVersion: CONFIG_MAPS.apiVersion,
      kind: CONFIG_MAPS.kind,
      metadata: {
        name: `${this.prefix}-${hashOf(key)}-${number}`,
        namespace: this.namespace,
        labels: {
          [MANAGER]: this.prefix,
          [this.document]: hashOf(key),
          [this.version]: String(entry.version),
          [this.number]: String(number),
          [this.newest]: '',
        },
        annotations: { [this.document]: key },
      },
      immutable: true,
      data: { entry: encodeEntry(entry) },
    };
  }

  private selectorOf(key: ConfigKey): string {
    return `${MANAGER}=${this.prefix},${this.document}=${hashOf(key)}`;
  }

  private numberIn({ metadata }: KubernetesObject, label: string): number {
    return Number(metadata.labels?.[label]);
  }

  private async remove(item: KubernetesObject): Promise<void> {
    await this.unlessGone(this.client.remove(this.pathOf(item), item));
  }

  private async unmark(item: KubernetesObject): Promise<void> {
    await this.unlessGone(this.client.patch(this.pathOf(item), { metadata: { labels: { [this.newest]: null } } }));
  }

  private pathOf({ metadata }: KubernetesObject): string {
    return pathOf(CONFIG_MAPS, this.namespace, metadata.name);
  }

  /** Another replica tidies too. */
  private async unlessGone(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error;
    }
  }
}

function hashOf(key: ConfigKey): string {
  return createHash('sha256').update(key).digest('hex').slice(0, HASH_LENGTH);
}
