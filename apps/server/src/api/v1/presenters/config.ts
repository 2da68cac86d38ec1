import type { ConfigEntry, DocumentKey } from '#core';

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

export function presentVersion({ version, config, rolledBackTo, updatedAt, actor }: ConfigEntry): object {
  return {
    version,
    deleted: config === undefined,
    rolled_back_to: rolledBackTo,
    updated_at: new Date(updatedAt).toISOString(),
    updated_by: actor,
  };
}
