import { regionOf, statusOf, zoneOf, type ServiceInstance } from './instance.js';
import { isHealthy } from './status.js';

/** Which instances a caller wants. Every part that is given must hold. */
export interface InstanceFilter {
  /** All of these. */
  readonly tags: readonly string[];
  /** None of these. */
  readonly withoutTags: readonly string[];
  readonly metadata: readonly (readonly [key: string, value: string])[];
  readonly healthyOnly: boolean;
  readonly region?: string;
  readonly zone?: string;
}

export const NO_FILTER: InstanceFilter = { tags: [], withoutTags: [], metadata: [], healthyOnly: false };

/** Why an instance is not among what the filter lets through; undefined when it is. */
export function mismatch(instance: ServiceInstance, filter: InstanceFilter): string | undefined {
  for (const tag of filter.tags) if (!instance.tags.includes(tag)) return `lacks tag ${tag}`;
  for (const tag of filter.withoutTags) if (instance.tags.includes(tag)) return `has tag ${tag}`;
  for (const [key, value] of filter.metadata) {
    if (!Object.hasOwn(instance.metadata, key) || instance.metadata[key] !== value)
      return `metadata.${key} is not ${value}`;
  }
  if (filter.region !== undefined && regionOf(instance) !== filter.region) return `region is not ${filter.region}`;
  if (filter.zone !== undefined && zoneOf(instance) !== filter.zone) return `zone is not ${filter.zone}`;
  const status = statusOf(instance);
  if (filter.healthyOnly && !isHealthy(status)) return status === 'maintenance' ? 'is in maintenance' : `is ${status}`;
  return undefined;
}

export function matches(instance: ServiceInstance, filter: InstanceFilter): boolean {
  return mismatch(instance, filter) === undefined;
}
