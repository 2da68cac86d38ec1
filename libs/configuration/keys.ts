import type { ConfigKey, DocumentKey } from '#core';

/** In the place of a service's name, of an environment's: the layer that all of them share. No name can be this. */
export const ALL = '*';

/** Names are in lower case, and hold no slash. */
export function documentKey({ serviceName, environment }: DocumentKey): ConfigKey {
  return `document/${environment}/${serviceName}`;
}

/** Of the JSON Schema of a service, which holds in all environments. */
export function schemaKey(serviceName: string): ConfigKey {
  return `schema/${serviceName}`;
}

/** Undefined for a key that is no document's. */
export function documentOf(key: ConfigKey): DocumentKey | undefined {
  const [kind, environment, serviceName] = key.split('/');
  return kind === 'document' && environment && serviceName ? { serviceName, environment } : undefined;
}
