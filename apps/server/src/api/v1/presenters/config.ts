import type { ConfigEntry, DocumentKey } from '#core';
import type { Resolved } from '#configuration';

export function presentDocument({ serviceName, environment }: DocumentKey, entry: ConfigEntry): object {
  return {
    service_name: serviceName,
    environment,
    version: entry.version,
    config: entry.config,
    created_at: new Date(entry.createdAt).toISOString(),
    updated_at: new Date(entry.updatedAt).toISOString(),
    updated_by: entry.actor,
  };
}

/** A version as a watch tells it. @param entry Undefined: there never was a document. */
export function presentChange(document: DocumentKey, entry: ConfigEntry | undefined): object {
  if (entry?.config) return presentDocument(document, entry);
  return {
    service_name: document.serviceName,
    environment: document.environment,
    version: entry?.version ?? 0,
    deleted: true,
    ...(entry && { updated_at: new Date(entry.updatedAt).toISOString(), updated_by: entry.actor }),
  };
}

export function presentResolved({ serviceName, environment }: DocumentKey, resolved: Resolved): object {
  return {
    service_name: serviceName,
    environment,
    config: resolved.config,
    layers: resolved.layers.map(({ name, version }) => ({ layer: name, version })),
    sources: resolved.sources,
  };
}

export function presentSchema(serviceName: string, entry: ConfigEntry): object {
  return {
    service_name: serviceName,
    version: entry.version,
    schema: entry.config,
    created_at: new Date(entry.createdAt).toISOString(),
    updated_at: new Date(entry.updatedAt).toISOString(),
    updated_by: entry.actor,
  };
}

export function presentVersion({ version, config, rolledBackTo, updatedAt, actor }: ConfigEntry): object {
  return {
    version,
    deleted: config === undefined,
    rolled_back_to: rolledBackTo,
    updated_at: new Date(updatedAt).toISOString(),
    updated_by: actor,
  };
}
