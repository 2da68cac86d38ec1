import {
  BackendError,
  LIMITS,
  Turns,
  type Actor,
  type ConfigEntry,
  type ConfigKey,
  type ConfigStore,
  type DocumentKey,
  type JsonObject,
} from '#core';
import { ALL, documentKey, schemaKey } from './keys.js';
import { mergeLayers, type Layer, type LayerName, type Merged } from './layers.js';
import { checkAgainst, checkSchema } from './schemas.js';
import type { ConfigView } from './view.js';

/** How often a write is tried against faster ones. */
const ATTEMPTS = 100;

/** What must be there for a write to happen. */
export type Precondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'version'; readonly version: number };

/** The document is not as the writer has meant it. */
export class VersionMismatch extends Error {
  override readonly name = 'VersionMismatch';

  /** @param current Undefined: there is no document. */
  constructor(readonly current: number | undefined) {
    super(current === undefined ? 'there is no such document' : `the document is at version ${current}`);
  }
}

export interface ConfigWrite {
  readonly precondition: Precondition;
  readonly actor: Actor;
  /** Gives the write up; it may have happened unless it had not begun. */
  readonly signal: AbortSignal;
}

export interface Written {
  readonly entry: ConfigEntry;
  /** There was no document before. */
  readonly created: boolean;
}

export interface Resolved extends Merged {
  readonly layers: readonly Layer[];
}

export interface HistoryRequest {
  readonly limit: number;
  /** The last version that was seen; those before it are asked for. */
  readonly before?: number;
  readonly signal: AbortSignal;
}

/** Versioned documents: reads from the view, writes by compare-and-set. */
export class Configuration {
  private readonly turns = new Turns();

  constructor(
    private readonly store: ConfigStore,
    readonly view: ConfigView,
    private readonly now: () => number = Date.now,
  ) {}

  /** The newest version, from the view; undefined when there is none, or it is deleted. */
  get(key: ConfigKey): ConfigEntry | undefined {
    const entry = this.view.get(key);
    return entry?.config && entry;
  }

  /** One of the versions that are kept. The registry is asked for all but the newest. */
  async version(key: ConfigKey, version: number, signal: AbortSignal): Promise<ConfigEntry | undefined> {
    const newest = this.view.get(key);
    return newest?.version === version ? newest : this.store.get(key, version, signal);
  }

  /** The versions that are kept, newest first, as the registry has them now. */
  async history(key: ConfigKey, { limit, before, signal }: HistoryRequest): Promise<readonly ConfigEntry[]> {
    const versions: ConfigEntry[] = [];
    let next: ConfigEntry | undefined;
    if (before === undefined) next = await this.store.get(key, undefined, signal);
    else next = await this.predecessor(key, await this.version(key, before, signal), signal);
    while (next && versions.length < limit) {
      versions.push(next);
      if (versions.length < limit) next = await this.predecessor(key, next, signal);
    }
    return versions;
  }

  /** The version that followed this one; undefined when that is not kept any more, or versions did not go on from there. */
  async successor(key: ConfigKey, version: number, signal: AbortSignal): Promise<ConfigEntry | undefined> {
    const { versions } = this.view;
    const next = await versions.get(key, version + 1);
    if (next?.previous === version) return next;
    // There may be a gap: from the newest one back, as far as this one could be kept.
    let entry = await this.store.get(key, undefined, signal);
    if (!entry || version <= entry.version - LIMITS.configVersions) return undefined;
    while (entry && entry.previous > version) entry = await versions.get(key, entry.previous);
    return entry?.previous === version ? entry : undefined;
  }

  /** What a service sees: its own document over the layers that all services share. Undefined when there is none of them. */
  resolve(document: DocumentKey): Resolved | undefined {
    const layers = this.layersOf(document);
    return layers.length === 0 ? undefined : { layers, ...mergeLayers(layers) };
  }

  /**
   * The document of a service.
   *
   * @throws BackendError `INVALID` when what comes of it breaks the schema of the service.
   */
  async putDocument(document: DocumentKey, config: JsonObject, write: ConfigWrite): Promise<Written> {
    await this.checkOwn(document, config);
    return this.put(documentKey(document), config, write);
  }

  /** @throws BackendError `INVALID` when it is none. */
  async putSchema(serviceName: string, schema: JsonObject, write: ConfigWrite): Promise<Written> {
    await checkSchema(schema);
    return this.put(schemaKey(serviceName), schema, write);
  }

  private put(key: ConfigKey, config: JsonObject, write: ConfigWrite): Promise<Written> {
    return this.append(key, write, () => ({ config }));
  }

  /** @throws BackendError `NOT_FOUND` when there is nothing to delete. */
  async delete(key: ConfigKey, write: ConfigWrite): Promise<void> {
    await this.append(key, write, (current) => {
      if (!current?.config) throw new BackendError('NOT_FOUND', 'there is no such document');
      return {};
    });
  }

  /** @throws BackendError `NOT_FOUND` when that version is not kept, or was a deletion. */
  async rollBack(document: DocumentKey, to: number, write: ConfigWrite): Promise<Written> {
    const key = documentKey(document);
    const { config } = (await this.version(key, to, write.signal)) ?? {};
    if (!config) throw new BackendError('NOT_FOUND', `there is no document in version ${to}`);
    await this.checkOwn(document, config);
    return this.append(key, write, () => ({ config, rolledBackTo: to }));
  }

  /** Those that there are, the one that counts least first. */
  private layersOf({ serviceName, environment }: DocumentKey): readonly Layer[] {
    const layers: readonly [LayerName, DocumentKey][] = [
      ['base', { serviceName: ALL, environment: ALL }],
      ['environment', { serviceName: ALL, environment }],
      ['service', { serviceName, environment }],
    ];
    const wanted = serviceName !== ALL ? 3 : environment !== ALL ? 2 : 1;
    return layers.slice(0, wanted).flatMap(([name, document]) => {
      const { config, version } = this.get(documentKey(document)) ?? {};
      return config && version !== undefined ? [{ name, version, config }] : [];
    });
  }

  private async checkOwn(document: DocumentKey, config: JsonObject): Promise<void> {
    const schema = this.get(schemaKey(document.serviceName));
    if (!schema?.config) return;
    const shared = this.layersOf({ ...document, serviceName: ALL });
    const merged = mergeLayers([...shared, { name: 'service', version: 0, config }]);
    await checkAgainst(schema, schema.config, merged.config);
  }

  private async predecessor(key: ConfigKey, entry: ConfigEntry | undefined, signal: AbortSignal) {
    return entry && entry.previous > 0 ? this.version(key, entry.previous, signal) : undefined;
  }

  /** One after the other here; against other replicas, whoever is first. */
  private append(
    key: ConfigKey,
    write: ConfigWrite,
    make: (current: ConfigEntry | undefined) => Pick<ConfigEntry, 'config' | 'rolledBackTo'>,
  ): Promise<Written> {
    return this.turns.take(key, () => this.compareAndSet(key, write, make), write.signal);
  }

  private async compareAndSet(
    key: ConfigKey,
    { precondition, actor, signal }: ConfigWrite,
    make: (current: ConfigEntry | undefined) => Pick<ConfigEntry, 'config' | 'rolledBackTo'>,
  ): Promise<Written> {
    let current = this.view.get(key);
    // The view may be behind: nobody is refused for what it says.
    if (!isMet(precondition, current) || !current?.config) current = await this.view.read(key, signal);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (!isMet(precondition, current)) throw new VersionMismatch(current?.config && current.version);
      const entry = this.next(key, current, actor, make(current));
      try {
        await this.store.append(key, entry, signal);
        this.view.show(key, entry);
        return { entry, created: !current?.config };
      } catch (error) {
        if (!(error instanceof BackendError && error.code === 'CONFLICT')) throw error;
        current = await this.view.read(key, signal);
      }
    }
    throw new BackendError('BUSY', `${key} is changed by too many at once`);
  }

  private next(
    key: ConfigKey,
    current: ConfigEntry | undefined,
    actor: Actor,
    content: Pick<ConfigEntry, 'config' | 'rolledBackTo'>,
  ): ConfigEntry {
    const at = this.now();
    const previous = current?.version ?? 0;
    // The store may have lost what was seen here.
    const version = Math.max(previous, this.view.get(key)?.version ?? 0) + 1;
    return { version, previous, ...content, actor, createdAt: current?.config ? current.createdAt : at, updatedAt: at };
  }
}

function isMet(precondition: Precondition, current: ConfigEntry | undefined): boolean {
  switch (precondition.kind) {
    case 'none':
      return true;
    case 'exists':
      return current?.config !== undefined;
    case 'absent':
      return current?.config === undefined;
    case 'version':
      return current?.config !== undefined && current.version === precondition.version;
  }
}
