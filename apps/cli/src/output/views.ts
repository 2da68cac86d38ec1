import type { InstanceAnswer, InstanceHealth, ServiceHealth, ServiceSummary, Status } from '../api/wire.js';
import { ageOf } from './age.js';
import type { View } from './printer.js';
import type { Column, Style } from './table.js';

export const STYLES: Readonly<Record<Status, Style>> = {
  passing: 'good',
  warning: 'doubtful',
  critical: 'bad',
  maintenance: 'aside',
};

export function styleOf({ status }: { readonly status: Status }): Style {
  return STYLES[status];
}

export const SERVICES: View<readonly ServiceSummary[], ServiceSummary> = {
  rows: (services) => services,
  name: ({ service_name }) => service_name,
  columns: [
    { header: 'SERVICE', value: ({ service_name }) => service_name },
    { header: 'STATUS', value: ({ status }) => status, style: styleOf },
    { header: 'HEALTHY', value: (service) => `${service.healthy_instances}/${service.total_instances}` },
    { header: 'TAGS', value: ({ tags }) => tags.join(','), optional: true },
  ],
  empty: 'There are no such services.',
};

const OF_INSTANCE: readonly Column<InstanceAnswer>[] = [
  { header: 'ID', value: ({ service_id }) => service_id },
  { header: 'URL', value: ({ url }) => url },
  { header: 'STATUS', value: statusOf, style: styleOf },
  { header: 'HEARTBEAT', value: ({ last_heartbeat }) => ageOf(last_heartbeat) },
  { header: 'TAGS', value: ({ tags }) => tags.join(','), optional: true },
  { header: 'ZONE', value: ({ region, zone }) => zone ?? region ?? '-', optional: true },
  { header: 'WEIGHT', value: ({ weight }) => String(weight), optional: true },
  { header: 'METADATA', value: ({ metadata }) => pairsOf(metadata), optional: true },
];

export const INSTANCES: View<readonly InstanceAnswer[], InstanceAnswer> = {
  rows: (instances) => instances,
  name: ({ service_id }) => service_id,
  columns: OF_INSTANCE,
  empty: 'There are no such instances.',
};

/** Of several services: which one is said too. */
export const ALL_INSTANCES: typeof INSTANCES = {
  ...INSTANCES,
  columns: [{ header: 'SERVICE', value: ({ service_name }) => service_name }, ...OF_INSTANCE],
};

export const INSTANCE: View<InstanceAnswer, InstanceAnswer> = {
  rows: (instance) => [instance],
  name: ({ service_id }) => service_id,
  columns: OF_INSTANCE,
};

export const HEALTH: View<ServiceHealth | InstanceHealth, InstanceHealth> = {
  title: (health) =>
    'instances' in health
      ? `${health.service_name} is ${health.status}: ${health.healthy_instances} of ${health.total_instances} healthy`
      : `${health.service_name} ${health.service_id} is ${health.status}`,
  rows: (health) => ('instances' in health ? health.instances : [health]),
  name: ({ service_id }) => service_id,
  columns: [
    { header: 'ID', value: ({ service_id }) => service_id },
    { header: 'STATUS', value: statusOf, style: styleOf },
    { header: 'CHECK', value: ({ checks }) => checks[0]?.type ?? '-' },
    { header: 'CHECKED', value: ({ checks }) => ageOf(checks[0]?.timestamp ?? null) },
    { header: 'OUTPUT', value: (health) => health.maintenance_reason ?? health.checks[0]?.output ?? '' },
  ],
};

function statusOf({ status, held }: { readonly status: Status; readonly held?: true }): string {
  return held ? `${status}, held` : status;
}

function pairsOf(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
