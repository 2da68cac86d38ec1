import {
  HEALTH_STATUSES,
  keyText,
  serviceIdField,
  serviceNameField,
  worst,
  type HealthStatus,
  type InstanceKey,
  type InstanceRecord,
} from '#core';
import type { CheckEntry, HealthEntry } from './types.js';

/** Consul's convention, which its tools and its web page share. */
const MAINTENANCE = /^_(node|service)_maintenance/;

/** What somebody has registered with Consul itself. */
export interface ForeignRecord {
  readonly node: string;
  readonly record: Omit<InstanceRecord, 'registeredAt' | 'changed'>;
}

/**
 * The instances of one service, keyed as here. Consul's ids are unique on their node alone: where several
 * nodes have the same one, or one of ours has it, it is `ID@NODE`.
 *
 * @param taken Whether an instance of ours has this key.
 */
export function foreignRecords(
  entries: readonly HealthEntry[],
  taken: (key: InstanceKey) => boolean,
): Map<string, ForeignRecord> {
  const times = new Map<string, number>();
  for (const { Service } of entries) times.set(Service.ID, (times.get(Service.ID) ?? 0) + 1);
  const records = entries.flatMap((entry): [string, ForeignRecord][] => {
    const serviceName = serviceNameField.safeParse(entry.Service.Service).data;
    if (serviceName === undefined) return [];
    const { ID } = entry.Service;
    const ambiguous = times.get(ID) !== 1 || taken({ serviceName, serviceId: ID });
    const serviceId = idOf(ambiguous ? `${ID}@${entry.Node.Node}` : ID);
    if (serviceId === undefined) return [];
    const key = { serviceName, serviceId };
    return [[keyText(key), { node: entry.Node.Node, record: recordOf(key, entry) }]];
  });
  return new Map(records);
}

/** As it is where it can stand in a path. */
function idOf(id: string): string | undefined {
  return serviceIdField.safeParse(id).data ?? serviceIdField.safeParse(encodeURIComponent(id)).data;
}

function recordOf(key: InstanceKey, { Node, Service, Checks }: HealthEntry): ForeignRecord['record'] {
  const maintenance = Checks.find(({ CheckID }) => MAINTENANCE.test(CheckID));
  const reported = Checks.filter((check) => check !== maintenance).reduce<HealthStatus>(
    (status, check) => worst(status, statusOf(check)),
    'passing',
  );
  const { Passing, Warning } = Service.Weights;
  return {
    ...key,
    address: Service.Address || Node.Address,
    port: Service.Port,
    tags: [...new Set(Service.Tags)],
    metadata: Service.Meta ?? {},
    weight: reported === 'warning' ? Warning : Passing,
    reported,
    ...(maintenance && { maintenance: { reason: maintenance.Notes || maintenance.Output } }),
  };
}

function statusOf({ Status }: CheckEntry): HealthStatus {
  return HEALTH_STATUSES.find((status) => status === Status) ?? 'critical';
}
