import { SERVICES, SLICES, type Place } from './place.js';

export interface GivenSlice {
  readonly service: string;
  readonly name?: string;
  readonly family?: 'IPv4' | 'IPv6' | 'FQDN';
  readonly ports?: readonly object[];
  readonly endpoints: readonly object[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An EndpointSlice, as a controller writes it; the cluster's own leaves it alone. */
export function sliceOf({
  service,
  name = service,
  family = 'IPv4',
  ports,
  endpoints,
  labels,
  annotations,
}: GivenSlice): object {
  return {
    metadata: {
      name,
      labels: { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': 'tests', ...labels },
      annotations,
    },
    addressType: family,
    ports: ports ?? [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints,
  };
}

export function createSlice(place: Place, given: GivenSlice): Promise<unknown> {
  return place.admin.ask('POST', place.at(SLICES, 'endpointslices'), sliceOf(given));
}

export function changeSlice(place: Place, name: string, change: object): Promise<unknown> {
  return place.admin.ask('PATCH', place.at(SLICES, 'endpointslices', name), change);
}

/** A Service without a selector: nobody else makes slices for it. */
export function createService(
  place: Place,
  name: string,
  { metadata = {}, spec = {} }: { metadata?: object; spec?: object } = {},
): Promise<unknown> {
  return place.admin.ask('POST', place.at(SERVICES, 'services'), {
    metadata: { name, ...metadata },
    spec: { clusterIP: 'None', ports: [{ port: 80 }], ...spec },
  });
}

/** As a controller writes it for a pod that runs. */
export function pod(name: string, address: string, over: object = {}): object {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', name },
    ...over,
  };
}
