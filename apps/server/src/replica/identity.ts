import { hostname } from 'node:os';
import type { ServiceInstance } from '#core';
import type { Catalog } from '#catalog';

/** How replicas are told apart: their host, for people, and the epoch of their view, which is in every answer of theirs. */
export function replicaId({ epoch }: Catalog): string {
  return `${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}-${epoch}`;
}

const CHECKS = 'health_checks';

/** What a replica says of itself in the registry: whether it makes health checks that are shared out. */
export function replicaMetadata(checksEnabled: boolean): Readonly<Record<string, string>> {
  return { [CHECKS]: checksEnabled ? 'shared' : 'off' };
}

/**
 * Whether a replica shares health checks; undefined: it is none of ours, whatever its name. Ours have leases: in a
 * catalog that others write to too, replicas of another registry may show, with their metadata.
 */
export function sharesChecks({ metadata, ttl }: Pick<ServiceInstance, 'metadata' | 'ttl'>): boolean | undefined {
  const says = metadata[CHECKS];
  return says === undefined || ttl === undefined ? undefined : says === 'shared';
}
