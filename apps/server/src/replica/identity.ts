import { hostname } from 'node:os';
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

/** Undefined: it is no replica of ours, whatever its name. */
export function sharesChecks({
  metadata,
}: {
  readonly metadata: Readonly<Record<string, string>>;
}): boolean | undefined {
  const says = metadata[CHECKS];
  return says === undefined ? undefined : says === 'shared';
}
