import {
  BackendError,
  LIMITS,
  type Actor,
  type ConfigEntry,
  type ConfigKey,
  type DocumentKey,
  type JsonObject,
  type RegistryBackend,
} from '#core';
import {
  ALL,
  documentKey,
  schemaKey,
  VersionMismatch,
  type ConfigFreshness,
  type Configuration,
  type ConfigWrite,
  type Precondition,
  type Resolved,
  type Written,
} from '#configuration';
import type { Deadlines } from '../deadlines.js';
import { badRequest, notFound, Problem } from '../http/problem.js';

/** The path of the watches lies where a service of this name would. */
const RESERVED = 'watch';

/** The documents of services, as callers may read and write them. Whatever goes wrong is a Problem or a BackendError. */
export class Documents {
  /** @param configuration Undefined where the backend keeps none. */
  constructor(
    private readonly backend: RegistryBackend,
    private readonly configuration: Configuration | undefined,
    private readonly deadlines: Deadlines,
  ) {}

  freshness(): ConfigFreshness {
    return this.kept().view.freshness();
  }

  async get(document: DocumentKey, version?: number): Promise<ConfigEntry> {
    const configuration = this.readable();
    const key = keyOf(document);
    const entry =
      version === undefined
        ? configuration.get(key)
        : await this.soon((signal) => configuration.version(key, version, signal));
    if (!entry?.config) throw notThere(document, version);
    return entry;
  }

  /** Newest first; at least one. @param before The last version of the page before. */
  async history(document: DocumentKey, limit: number, before?: number): Promise<readonly ConfigEntry[]> {
    const configuration = this.readable();
    const versions = await this.soon((signal) => configuration.history(keyOf(document), { limit, before, signal }));
    if (versions.length === 0 && before === undefined) throw notThere(document);
    return versions;
  }

  /** The layers of the document merged. */
  resolved(document: DocumentKey): Resolved {
    const configuration = this.readable();
    keyOf(document);
    const resolved = configuration.resolve(document);
    if (!resolved) throw notThere(document);
    return resolved;
  }

  put(document: DocumentKey, config: JsonObject, precondition: Precondition, actor: Actor): Promise<Written> {
    requireFits(config, LIMITS.configBytes);
    keyOf(document);
    return this.write({ precondition, actor }, (configuration, write) =>
      configuration.putDocument(document, config, write),
    );
  }

  delete(document: DocumentKey, precondition: Precondition, actor: Actor): Promise<void> {
    const key = keyOf(document);
    return this.write({ precondition, actor }, (configuration, write) => configuration.delete(key, write));
  }

  rollBack(document: DocumentKey, to: number, precondition: Precondition, actor: Actor): Promise<Written> {
    keyOf(document);
    return this.write({ precondition, actor }, (configuration, write) => configuration.rollBack(document, to, write));
  }

  schema(serviceName: string): ConfigEntry {
    const entry = this.readable().get(keyOfSchema(serviceName));
    if (!entry) throw notFound(`there is no schema of ${serviceName}`, 'CONFIG_NOT_FOUND');
    return entry;
  }

  putSchema(serviceName: string, schema: JsonObject, precondition: Precondition, actor: Actor): Promise<Written> {
    requireFits(schema, LIMITS.configSchemaBytes);
    keyOfSchema(serviceName);
    return this.write({ precondition, actor }, (configuration, write) =>
      configuration.putSchema(serviceName, schema, write),
    );
  }

  deleteSchema(serviceName: string, precondition: Precondition, actor: Actor): Promise<void> {
    const key = keyOfSchema(serviceName);
    return this.write({ precondition, actor }, (configuration, write) => configuration.delete(key, write));
  }

  /** For a watch, which goes on through an outage. */
  watched(document: DocumentKey): { readonly configuration: Configuration; readonly key: ConfigKey } {
    return { key: keyOf(document), configuration: this.readable() };
  }

  private async write<T>(
    given: Omit<ConfigWrite, 'signal'>,
    work: (configuration: Configuration, write: ConfigWrite) => Promise<T>,
  ): Promise<T> {
    const configuration = this.kept();
    try {
      return await this.soon((signal) => work(configuration, { ...given, signal }));
    } catch (error) {
      throw inOurWords(error);
    }
  }

  private soon<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return work(this.deadlines.next());
  }

  private kept(): Configuration {
    if (this.configuration) return this.configuration;
    const { type, notes } = this.backend.capabilities;
    throw new Problem(501, 'NOT_SUPPORTED', [`the ${type} registry keeps no configuration here`, ...notes].join('. '));
  }

  /** @throws BackendError `UNAVAILABLE` while there is nothing to answer from: that is no missing document. */
  private readable(): Configuration {
    const configuration = this.kept();
    const { source, reason = 'not read yet' } = configuration.view.freshness();
    if (source === undefined) throw new BackendError('UNAVAILABLE', `there is no configuration to show: ${reason}`);
    return configuration;
  }
}

/** @throws Problem 400 */
function keyOf({ serviceName, environment }: DocumentKey): ConfigKey {
  requireUnreserved(serviceName);
  if (environment === ALL && serviceName !== ALL) {
    const message = 'is * only of the layer that all services share: /config/*';
    throw badRequest('the request is not valid', [{ path: 'environment', message }]);
  }
  return documentKey({ serviceName, environment });
}

/** @throws Problem 400 */
function keyOfSchema(serviceName: string): ConfigKey {
  requireUnreserved(serviceName);
  if (serviceName !== ALL) return schemaKey(serviceName);
  const message = 'must be a service: what a layer says is checked as part of what services see';
  throw badRequest('the request is not valid', [{ path: 'service', message }]);
}

function requireUnreserved(serviceName: string): void {
  if (serviceName !== RESERVED) return;
  const detail = `${RESERVED} is where watches are`;
  throw badRequest(detail, [{ path: 'service', message: 'is reserved' }], 'RESERVED_NAME');
}

/** @throws Problem 413 */
function requireFits(content: JsonObject, most: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(content));
  if (bytes <= most) return;
  throw new Problem(413, 'BODY_TOO_LARGE', `without white space it has ${bytes} bytes, and at most ${most} are taken`);
}

function inOurWords(error: unknown): unknown {
  if (error instanceof VersionMismatch) return mismatch(error);
  if (!(error instanceof BackendError)) return error;
  if (error.code === 'NOT_FOUND') return notFound(error.message, 'CONFIG_NOT_FOUND');
  if (error.code === 'INVALID') return badRequest(error.message, error.issues, 'SCHEMA_VIOLATION');
  return error;
}

function notThere({ serviceName, environment }: DocumentKey, version?: number): Problem {
  const which = version === undefined ? '' : ` in version ${version}`;
  return notFound(`there is no configuration of ${serviceName} for ${environment}${which}`, 'CONFIG_NOT_FOUND');
}

function mismatch({ current, message }: VersionMismatch): Problem {
  const headers: Record<string, string> = current === undefined ? {} : { ETag: `"${current}"` };
  return new Problem(412, 'PRECONDITION_FAILED', message, { current_version: current ?? null }, headers);
}
