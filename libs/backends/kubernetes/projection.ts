import { createHash } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { isHealthy, statusOf, zoneOf, type ServiceInstance } from '#core';
import { isLabelValue, MANAGER, MANAGER_OF_SLICE, SERVICE_OF_SLICE } from './names.js';
import { ENDPOINT_SLICES, SERVICES, type Endpoint, type EndpointSlice, type Service } from './objects.js';

/** Endpoints in a slice, on average; Kubernetes allows 1,000. */
const SLICE_SIZE = 100;

/** What EndpointSlices refuse. */
const NOT_ROUTABLE = new BlockList();
NOT_ROUTABLE.addSubnet('127.0.0.0', 8, 'ipv4');
NOT_ROUTABLE.addSubnet('169.254.0.0', 16, 'ipv4');
NOT_ROUTABLE.addSubnet('224.0.0.0', 24, 'ipv4');
NOT_ROUTABLE.addAddress('0.0.0.0', 'ipv4');
NOT_ROUTABLE.addAddress('::', 'ipv6');
NOT_ROUTABLE.addAddress('::1', 'ipv6');
NOT_ROUTABLE.addSubnet('fe80::', 10, 'ipv6');
NOT_ROUTABLE.addSubnet('ff02::', 16, 'ipv6');

const IPV4_MAPPED = /^::ffff:[0-9a-f]+:[0-9a-f]+$/;

export interface Projection {
  /** The value of our managed-by labels. */
  readonly manager: string;
  readonly namespace: string;
  readonly serviceName: string;
}

/** Without a selector: its endpoints are what we say. One port, unnamed, as each instance has one. */
export function serviceFor({ manager, namespace, serviceName }: Projection, port: number): object {
  return {
    apiVersion: SERVICES.apiVersion,
    kind: SERVICES.kind,
    metadata: { name: serviceName, namespace, labels: { [MANAGER]: manager } },
    spec: { ipFamilyPolicy: 'PreferDualStack', ports: [{ port, protocol: 'TCP' }] },
  };
}

export function isOurService({ metadata }: Service, manager: string): boolean {
  return metadata.labels?.[MANAGER] === manager;
}

export function isOurSlice({ metadata }: EndpointSlice, manager: string): boolean {
  return metadata.labels?.[MANAGER_OF_SLICE] === manager;
}

/** The slices that show these instances: for each family and port, spread by their ids so that one change touches one. */
export function slicesFor(projection: Projection, instances: Iterable<ServiceInstance>): readonly EndpointSlice[] {
  const kinds = new Map<string, ServiceInstance[]>();
  for (const instance of instances) {
    const family = familyOf(instance.address);
    if (!family) continue;
    const kind = `${family}-${instance.port}`;
    const known = kinds.get(kind);
    if (known) known.push(instance);
    else kinds.set(kind, [instance]);
  }
  return [...kinds].flatMap(([kind, all]) => sliced(projection, kind, all));
}

function sliced(projection: Projection, kind: string, instances: readonly ServiceInstance[]): EndpointSlice[] {
  const slices = 2 ** Math.max(0, Math.ceil(Math.log2(instances.length / SLICE_SIZE)));
  const parts = new Map<number, ServiceInstance[]>();
  for (const instance of instances) {
    const part = createHash('sha256').update(instance.serviceId).digest().readUInt32BE() % slices;
    const known = parts.get(part);
    if (known) known.push(instance);
    else parts.set(part, [instance]);
  }
  return [...parts].map(([part, members]) => slice(projection, `${kind}-${slices}-${part}`, members));
}

function slice(
  { manager, namespace, serviceName }: Projection,
  name: string,
  members: ServiceInstance[],
): EndpointSlice {
  const [{ address, port }] = members as [ServiceInstance];
  return {
    ...{ apiVersion: ENDPOINT_SLICES.apiVersion, kind: ENDPOINT_SLICES.kind },
    metadata: {
      name: `${serviceName}-${manager}-${name.toLowerCase()}`,
      namespace,
      labels: { [SERVICE_OF_SLICE]: serviceName, [MANAGER_OF_SLICE]: manager },
    },
    addressType: familyOf(address)!,
    ports: [{ name: '', port, protocol: 'TCP' }],
    endpoints: members.sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1)).map(endpointFor),
  };
}

/** One that is not healthy, or in maintenance, gets no traffic. */
function endpointFor(instance: ServiceInstance): Endpoint {
  const healthy = isHealthy(statusOf(instance));
  const zone = zoneOf(instance);
  return {
    addresses: [canonical(instance.address)],
    conditions: { ready: healthy, serving: healthy, terminating: false },
    ...(zone !== undefined && isLabelValue(zone) && { zone }),
  };
}

/** Undefined for what kube-proxy cannot route to. */
function familyOf(address: string): 'IPv4' | 'IPv6' | undefined {
  const version = isIP(address);
  if (version === 0 || NOT_ROUTABLE.check(address, version === 4 ? 'ipv4' : 'ipv6')) return undefined;
  if (version === 4) return 'IPv4';
  return IPV4_MAPPED.test(canonical(address)) ? undefined : 'IPv6';
}

/** As RFC 5952 has it, which EndpointSlices insist on: one address that they refuse keeps out all of its slice. */
function canonical(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
