import { mismatch, type InstanceFilter, type ServiceInstance } from '#core';

/** What a pick may choose from: healthy ones that match the filter and were not excluded by the caller. */
export interface Selection {
  readonly filter: InstanceFilter;
  /** Ids of those that the caller has tried already, say. */
  readonly exclude: ReadonlySet<string>;
}

export interface LeftOut {
  readonly service_id: string;
  readonly reason: string;
}

/**
 * In the order of the instances. The very array that was given when nothing is left out, so that what
 * strategies have worked out of it stays good.
 */
export function selectCandidates(
  instances: readonly ServiceInstance[],
  selection: Selection,
): readonly ServiceInstance[] {
  const healthy = onlyHealthy(selection);
  const candidates = instances.filter((instance) => reasonAgainst(instance, healthy) === undefined);
  return candidates.length === instances.length ? instances : candidates;
}

/** Who is no candidate, and why. */
export function explainSelection(instances: readonly ServiceInstance[], selection: Selection): LeftOut[] {
  const healthy = onlyHealthy(selection);
  return instances.flatMap((instance) => {
    const reason = reasonAgainst(instance, healthy);
    return reason === undefined ? [] : [{ service_id: instance.serviceId, reason }];
  });
}

function onlyHealthy({ filter, exclude }: Selection): Selection {
  return { filter: { ...filter, healthyOnly: true }, exclude };
}

function reasonAgainst(instance: ServiceInstance, { filter, exclude }: Selection): string | undefined {
  return exclude.has(instance.serviceId) ? 'excluded by the caller' : mismatch(instance, filter);
}
