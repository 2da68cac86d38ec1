import { BackendError, healthOf, weightOf, type InstanceKey, type InstanceRecord } from '#core';
import type { Layout } from './layout.js';
import type { CheckDefinition, Operation, ServiceEntry } from './types.js';

// How an instance of ours shows in Consul's catalog, DNS and web page.

/** Consul's rules for metadata of services. */
const META_KEY = /^(?!consul-)[A-Za-z0-9_-]{1,128}$/;
const META_KEYS = 64;
const META_VALUE_BYTES = 512;
/** Where our own id is told. */
const ID_META = 'service-discovery-id';
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);

/** What makes the catalog show this record, where it showed the previous one. */
export function show(layout: Layout, record: InstanceRecord, previous: InstanceRecord | undefined): Operation[] {
  const at = { Node: layout.node(record), ServiceID: layout.catalogId(record), ServiceName: record.serviceName };
  const operations: Operation[] = [
    { Service: { Verb: 'set', Node: at.Node, Service: service(at.ServiceID, record) } },
    { Check: { Verb: 'set', Check: { ...at, ...health(at.ServiceID, record) } } },
  ];
  const maintenance = { ...at, CheckID: `_service_maintenance:${at.ServiceID}` };
  if (record.maintenance) {
    const { reason } = record.maintenance;
    const check = { ...maintenance, Name: 'Service Maintenance Mode', Status: 'critical', Notes: reason };
    operations.push({ Check: { Verb: 'set', Check: check } });
  } else if (previous?.maintenance) {
    operations.push({ Check: { Verb: 'delete', Check: maintenance } });
  }
  return operations;
}

/** What takes it out of the catalog, with its checks. */
export function hide(layout: Layout, key: InstanceKey): Operation {
  const gone = { ID: layout.catalogId(key), Service: key.serviceName };
  return { Service: { Verb: 'delete', Node: layout.node(key), Service: gone } };
}

/** Of a service that we have put into the catalog. */
export function keyShown({ Service, Meta }: ServiceEntry): InstanceKey | undefined {
  const serviceId = Meta?.[ID_META];
  return serviceId === undefined ? undefined : { serviceName: Service, serviceId };
}

/** @throws BackendError `INVALID` for what Consul does not take, with the rule. */
export function checkProjectable({ serviceName, address }: Pick<InstanceRecord, 'serviceName' | 'address'>): void {
  const issues = [
    ...(serviceName === CONSUL
      ? [{ path: 'service_name', message: `must not be ${CONSUL}: that is Consul itself` }]
      : []),
    ...(ANY_ADDRESS.has(address) ? [{ path: 'address', message: 'must be one address: Consul refuses this one' }] : []),
  ];
  if (issues.length > 0) throw new BackendError('INVALID', 'Consul would not take the instance', { issues });
}

/** The service that Consul's servers are. */
export const CONSUL = 'consul';

function service(id: string, record: InstanceRecord): ServiceEntry {
  // Consul knows no weight 0.
  const weight = Math.max(weightOf(record), 1);
  return {
    ID: id,
    Service: record.serviceName,
    Address: record.address,
    Port: record.port,
    Tags: record.tags,
    Meta: meta(record),
    Weights: { Passing: weight, Warning: weight },
  };
}

/** Our own id, and as much of the metadata as Consul takes. */
function meta({ serviceId, metadata }: InstanceRecord): Record<string, string> {
  const all = Object.entries({ ...metadata, [ID_META]: serviceId }).reverse();
  const fitting = all.filter(([key, value]) => META_KEY.test(key) && Buffer.byteLength(value) <= META_VALUE_BYTES);
  return Object.fromEntries(fitting.slice(0, META_KEYS));
}

function health(id: string, record: InstanceRecord): Omit<CheckDefinition, 'Node' | 'ServiceID' | 'ServiceName'> {
  const { reported, probed } = record;
  const output = [`heartbeats: ${reported}`, ...(probed ? [`probe: ${probed}`] : [])].join(', ');
  return { CheckID: `service:${id}`, Name: 'service-discovery', Status: healthOf(record), Output: output };
}
