import type { HealthStatus, InstanceRecord } from '#core';
import { tagsIn, type Marks } from './marks.js';
import type { Endpoint, EndpointPort, EndpointSlice, Service } from './objects.js';

/** The Service that instances are of. */
export interface Group {
  readonly serviceName: string;
  readonly namespace: string;
  /** Absent: slices that somebody has made by hand, or whose Service is not there yet. */
  readonly service: Service | undefined;
}

/** An endpoint, and the slice that it is in. */
export interface Place {
  readonly slice: EndpointSlice;
  readonly endpoint: Endpoint;
}

/** What stays the same of it in all slices. */
export function idOf({ addresses, targetRef, hostname }: Endpoint): string | undefined {
  return targetRef?.name || hostname || addresses[0];
}

/**
 * One instance for each pod, whatever number of slices it is in: one slice for each family of addresses, set
 * of ports and thousand of endpoints, two for a while when it moves.
 *
 * @param places At least one. @returns undefined for what has no address or no port.
 */
export function recordAt(
  serviceId: string,
  places: readonly Place[],
  { serviceName, namespace, service }: Group,
  marks: Marks,
): InstanceRecord | undefined {
  const families = service?.spec.ipFamilies ?? ['IPv4', 'IPv6'];
  const rank = ({ slice, endpoint }: Place) =>
    (isTerminating(endpoint) ? 100 : 0) + (isReady(endpoint) ? 0 : 10) + (families.indexOf(slice.addressType) + 1 || 9);
  const [best, ...others] = [...places].sort((a, b) => rank(a) - rank(b));
  const { slice, endpoint } = best!;
  const marked = marks.of(service, slice);
  const ports = portsOf(places, service);
  const port = chosenPort(ports, marked.port);
  const address = endpoint.addresses[0];
  if (address === undefined || port?.port === undefined) return undefined;
  const other = others.find((each) => each.slice.addressType !== slice.addressType);
  const registeredAt = Date.parse(slice.metadata.creationTimestamp ?? '') || 0;
  const metadata: Record<string, string | undefined> = {
    namespace,
    pod: endpoint.targetRef?.kind === 'Pod' ? endpoint.targetRef.name : undefined,
    node: endpoint.nodeName,
    [`address_${other?.slice.addressType.toLowerCase()}`]: other?.endpoint.addresses[0],
    ...Object.fromEntries(ports.map((each) => [`port_${each.name}`, each.name ? String(each.port) : undefined])),
    protocol: protocolOf(port),
    ...marked.metadata,
  };
  return {
    serviceName,
    serviceId,
    address,
    port: port.port,
    tags: tagsIn(marked.tags),
    metadata: defined(metadata),
    ...(endpoint.zone && { zone: endpoint.zone }),
    reported: healthOf(endpoint),
    ...(isTerminating(endpoint) && { maintenance: { reason: 'terminating' } }),
    registeredAt,
    changed: { cause: 'registered', actor: 'kubernetes', at: registeredAt },
  };
}

/** Of all slices the endpoint is in, those of the Service in its order first. */
function portsOf(places: readonly Place[], service: Service | undefined): readonly EndpointPort[] {
  const order = (service?.spec.ports ?? []).map(({ name = '' }) => name);
  const rank = ({ name = '' }: EndpointPort) => order.indexOf(name) + 1 || order.length + 1;
  const byName = new Map<string, EndpointPort>();
  for (const { slice } of places) {
    for (const port of slice.ports ?? [])
      if (port.port && !byName.has(port.name ?? '')) byName.set(port.name ?? '', port);
  }
  return [...byName.values()].sort((a, b) => rank(a) - rank(b));
}

/** The one that is asked for by name or number, else the first. */
function chosenPort(ports: readonly EndpointPort[], asked: string | undefined): EndpointPort | undefined {
  if (asked === undefined) return ports[0];
  const named = ports.find(({ name, port }) => name === asked || String(port) === asked);
  // Endpoints of a headless Service may say no ports at all.
  const number = Number(asked);
  return named ?? (Number.isInteger(number) && number > 0 && number < 65_536 ? { port: number } : ports[0]);
}

const PROTOCOLS: Readonly<Record<string, string>> = {
  'kubernetes.io/h2c': 'http',
  'kubernetes.io/ws': 'ws',
  'kubernetes.io/wss': 'wss',
};

/** Where the Service says one: URLs are made with it. */
function protocolOf({ appProtocol, protocol }: EndpointPort): string | undefined {
  if (appProtocol)
    return (
      PROTOCOLS[appProtocol] ?? (/^[a-z][a-z0-9+.-]{0,31}$/i.test(appProtocol) ? appProtocol.toLowerCase() : undefined)
    );
  return protocol === undefined || protocol === 'TCP' ? undefined : protocol.toLowerCase();
}

// Absent conditions are unknown, and read as a consumer is told to: ready, serving as ready, not terminating.

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false;
}

function isTerminating({ conditions }: Endpoint): boolean {
  return conditions?.terminating === true;
}

/** Ready and not serving: its Service publishes what is not ready, and wants it to receive traffic. */
function healthOf(endpoint: Endpoint): HealthStatus {
  const serving = endpoint.conditions?.serving ?? isReady(endpoint);
  if (serving) return isReady(endpoint) || isTerminating(endpoint) ? 'passing' : 'critical';
  return isReady(endpoint) ? 'warning' : 'critical';
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
