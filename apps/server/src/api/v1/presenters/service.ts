import { isHealthy, serviceStatus, statusOf } from '#core';
import type { CatalogEntry } from '#catalog';
import type { Presentation } from '../../../answers/answers.js';
import { presentInstance } from './instance.js';

/** Counts of the entries given, which may be a filter's choice. */
export function presentCounts(serviceName: string, entries: readonly CatalogEntry[]) {
  const statuses = entries.map(({ instance }) => statusOf(instance));
  return {
    service_name: serviceName,
    total_instances: entries.length,
    healthy_instances: statuses.filter(isHealthy).length,
    status: serviceStatus(statuses),
  };
}

export function presentService(
  serviceName: string,
  entries: readonly CatalogEntry[],
  options: Presentation & { readonly instances: boolean },
) {
  return {
    ...presentCounts(serviceName, entries),
    tags: [...new Set(entries.flatMap(({ instance }) => instance.tags))].sort(),
    ...(options.instances && { instances: entries.map((entry) => presentInstance(entry, options)) }),
  };
}
