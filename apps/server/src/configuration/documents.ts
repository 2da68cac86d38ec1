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
  VersionMismatch,
  type ConfigFreshness,
  type Configuration,
  type ConfigWrite,
  type Precondition,
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

  put(document: DocumentKey, config: JsonObject, precondition: Precondition, actor: Actor): Promise<Written> {
    const bytes = Buffer.byteLength(JSON.stringify(config));
    if (bytes > LIMITS.configBytes) {
      const detail = `the document has ${bytes} bytes, and at most ${LIMITS.configBytes} are taken`;
      throw new Problem(413, 'BODY_TOO_LARGE', detail);
    }
    return this.write(document, { precondition, actor }, (configuration, key, write) =>
      configuration.put(key, config, write),
    );
  }

  delete(document: DocumentKey, precondition: Precondition, actor: Actor): Promise<void> {
    return this.write(document, { precondition, actor }, (configuration, key, write) =>
      configuration.delete(key, write),
    );
  }

  rollBack(document: DocumentKey, to: number, precondition: Precondition, actor: Actor): Promise<Written> {
    return this.write(document, { precondition, actor }, (configuration, key, write) =>
      configuration.rollBack(key, to, write),
    );
  }

  private async write<T>(
    document: DocumentKey,
    given: Omit<ConfigWrite, 'signal'>,
    work: (configuration: Configuration, key: ConfigKey, write: ConfigWrite) => Promise<T>,
  ): Promise<T> {
    const configuration = this.kept();
    const key = keyOf(document);
    try {
      return await this.soon((signal) => work(configuration, key, { ...given, signal }));
    } catch (error) {
      if (error instanceof VersionMismatch) throw mismatch(error);
      if (error instanceof BackendError && error.code === 'NOT_FOUND')
        throw notFound(error.message, 'CONFIG_NOT_FOUND');
      throw error;
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
  if (serviceName === RESERVED) {
    throw badRequest(
      `${RESERVED} is where watches are`,
      [{ path: 'service', message: 'is reserved' }],
      'RESERVED_NAME',
    );
  }
  if (environment === ALL && serviceName !== ALL) {
    const message = 'is * only of the layer that all services share: /config/*';
    throw badRequest('the request is not valid', [{ path: 'environment', message }]);
  }
  return documentKey(serviceName, environment);
}

function notThere({ serviceName, environment }: DocumentKey, version?: number): Problem {
  const which = version === undefined ? '' : ` in version ${version}`;
  return notFound(`there is no configuration of ${serviceName} for ${environment}${which}`, 'CONFIG_NOT_FOUND');
}

function mismatch({ current, message }: VersionMismatch): Problem {
  const headers: Record<string, string> = current === undefined ? {} : { ETag: `"${current}"` };
  return new Problem(412, 'PRECONDITION_FAILED', message, { current_version: current ?? null }, headers);
}
