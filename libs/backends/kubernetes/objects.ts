// What we use of Kubernetes' objects, as they are in JSON.

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubernetesObject {
  readonly metadata: ObjectMeta;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
    readonly ipFamilies?: readonly string[];
    readonly ipFamilyPolicy?: string;
  };
}

export interface EndpointPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

export interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: { readonly kind?: string; readonly name?: string };
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly EndpointPort[] | null;
}

export interface Lease extends KubernetesObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

export interface ConfigMap extends KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

/** One kind of object, in one namespace or in all. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** For people, as kubectl calls it. */
  readonly plural: string;
}

export const SERVICES: Resource = { apiVersion: 'v1', kind: 'Service', plural: 'services' };
export const ENDPOINT_SLICES: Resource = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
};
export const LEASES: Resource = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };

export const CONFIG_MAPS: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };

/** @param namespace Undefined: of all of them. */
export function pathOf({ apiVersion, plural }: Resource, namespace: string | undefined, name?: string): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const place = namespace === undefined ? root : `${root}/namespaces/${namespace}`;
  return name === undefined ? `${place}/${plural}` : `${place}/${plural}/${name}`;
}

export function nameOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}

/** Objects of a registry have one; `0` is older than all of them. */
export function versionOf({ metadata }: KubernetesObject): string {
  return metadata.resourceVersion ?? '0';
}
