import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { consul } from '../../servers/consul.js';
import { etcd } from '../../servers/etcd.js';
import { isAvailable, shared, type ServerKind } from '../../servers/kind.js';
import { kubeRequest } from '../../servers/kubeconfig.js';
import { kubernetes } from '../../servers/kubernetes.js';
import { redis } from '../../servers/redis.js';
import { temporaryFolder, type Environment } from '../../support/process.js';
import { Admin } from '../../backends/kubernetes/support/admin.js';

/** A kind of registry that replicas can share, and how they are told to. */
interface Kind {
  readonly server: ServerKind;
  /** Where it listens, on loopback. */
  readonly port: () => number;
  /** @param port By which it is reached. */
  readonly fresh: (name: string, port: number) => Promise<Environment>;
}

const KINDS: readonly Kind[] = [
  {
    server: etcd,
    port: () => portIn(shared(etcd)),
    fresh: async (name, port) => ({ ETCD_HOSTS: `127.0.0.1:${port}`, REGISTRY_PREFIX: `/${name}/` }),
  },
  {
    server: redis,
    port: () => portIn(shared(redis)),
    fresh: async (name, port) => ({ REDIS_URL: shared(redis).replace(/:\d+/, `:${port}`), REGISTRY_PREFIX: name }),
  },
  {
    server: consul,
    port: () => portIn(shared(consul)),
    fresh: async (name, port) => ({ CONSUL_PORT: String(port), REGISTRY_PREFIX: name }),
  },
  {
    server: kubernetes,
    port: () => new Admin().port,
    fresh: async (name, port) => {
      await kubeRequest(shared(kubernetes), 'POST', '/api/v1/namespaces', { metadata: { name } });
      const file = join(await temporaryFolder(), 'kubeconfig');
      await writeFile(file, new Admin().kubeconfig({ port }));
      return { KUBECONFIG: file, KUBERNETES_NAMESPACE: name, KUBERNETES_WRITE: 'true' };
    },
  },
];

/** Those that can run here. */
export const REGISTRIES = KINDS.filter(({ server }) => isAvailable(server)).map(({ server, port, fresh }) => ({
  type: server.name,
  port,
  /** An empty registry on the server that all suites share; by default its own port leads there. */
  async environment(by = port()): Promise<Environment> {
    return { REGISTRY_TYPE: server.name, ...(await fresh(`replicas-${randomUUID().slice(0, 8)}`, by)) };
  },
}));

/** Of those, the ones that are named. */
export function registriesOf(...types: readonly string[]): typeof REGISTRIES {
  return REGISTRIES.filter(({ type }) => types.includes(type));
}

function portIn(address: string): number {
  return Number(new URL(address).port);
}
