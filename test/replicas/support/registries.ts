import { randomUUID } from 'node:crypto';
import { consul } from '../../servers/consul.js';
import { etcd } from '../../servers/etcd.js';
import { isAvailable, shared, type ServerKind } from '../../servers/kind.js';
import { kubeRequest } from '../../servers/kubeconfig.js';
import { kubernetes } from '../../servers/kubernetes.js';
import { redis } from '../../servers/redis.js';
import type { Environment } from '../../support/process.js';

/** A kind of registry that replicas can share, and how they are told to. */
interface Kind {
  readonly server: ServerKind;
  readonly fresh: (name: string) => Promise<Environment>;
}

const KINDS: readonly Kind[] = [
  { server: etcd, fresh: async (name) => ({ ETCD_HOSTS: shared(etcd), REGISTRY_PREFIX: `/${name}/` }) },
  { server: redis, fresh: async (name) => ({ REDIS_URL: shared(redis), REGISTRY_PREFIX: name }) },
  {
    server: consul,
    fresh: async (name) => ({ CONSUL_PORT: new URL(shared(consul)).port, REGISTRY_PREFIX: name }),
  },
  {
    server: kubernetes,
    fresh: async (name) => {
      await kubeRequest(shared(kubernetes), 'POST', '/api/v1/namespaces', { metadata: { name } });
      return { KUBECONFIG: shared(kubernetes), KUBERNETES_NAMESPACE: name, KUBERNETES_WRITE: 'true' };
    },
  },
];

/** Those that can run here. */
export const REGISTRIES = KINDS.filter(({ server }) => isAvailable(server)).map(({ server, fresh }) => ({
  type: server.name,
  /** An empty registry on the server that all suites share. */
  async environment(): Promise<Environment> {
    return { REGISTRY_TYPE: server.name, ...(await fresh(`replicas-${randomUUID().slice(0, 8)}`)) };
  },
}));

/** Of those, the ones that are named. */
export function registriesOf(...types: readonly string[]): typeof REGISTRIES {
  return REGISTRIES.filter(({ type }) => types.includes(type));
}
