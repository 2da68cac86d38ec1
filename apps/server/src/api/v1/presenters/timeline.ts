import { statusOf, type ServiceInstance } from '#core';
import type { TimelineEntry } from '../../../timeline/timeline.js';

export function presentEntry({ key, cause, actor, at, before, status, output, detail }: TimelineEntry): object {
  return {
    at: new Date(at).toISOString(),
    service_id: key.serviceId,
    cause,
    actor,
    before: before ?? null,
    status: status ?? null,
    ...(detail !== undefined && { detail }),
    ...(output !== undefined && { output }),
  };
}

/** What the registry keeps of an instance to which nothing has happened since this server began to watch. */
export function presentEarlier(instance: ServiceInstance): object {
  const { changed, serviceId } = instance;
  const { cause, actor, at } = changed;
  return {
    at: new Date(at).toISOString(),
    service_id: serviceId,
    cause,
    actor,
    before: null,
    status: statusOf(instance),
    earlier: true,
  };
}
