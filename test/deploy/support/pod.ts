import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { serverProgram } from '../../support/build.js';
import { ServerProcess, temporaryFolder, type Environment } from '../../support/process.js';
import type { Admin } from '../../backends/kubernetes/support/admin.js';
import type { KubernetesObject } from './helm.js';

// Kwok plays the kubelet: a pod's process does not run. Here it does, with what a kubelet would give it.

const ACCOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';

/** A root file system that cannot be written to, of the server and the system's libraries, and /data that can. */
const CONTAINER = `
set -e
mount -t tmpfs tmpfs "$ROOT"
cp -r "$FILES/." "$ROOT"
for each in dev etc lib lib64 proc usr; do
  [ ! -e "/$each" ] || { mkdir "$ROOT/$each" && mount --rbind "/$each" "$ROOT/$each"; }
done
touch "$ROOT/node" && mount --bind "$NODE" "$ROOT/node"
mount -t tmpfs tmpfs "$ROOT/data"
mount -o remount,ro "$ROOT"
exec chroot "$ROOT" /usr/bin/env --ignore-environment --chdir=/app "$@"
`;

/** A pod of a Deployment, as the cluster has it. */
export class Pod {
  private constructor(
    readonly environment: Environment,
    readonly token: string,
    private readonly namespace: string,
    private readonly authority: string,
  ) {}

  static async of(admin: Admin, namespace: string, deployment: string): Promise<Pod> {
    const { spec } = (
      await admin.ask<KubernetesObject>('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`)
    ).spec.template;
    const core = `/api/v1/namespaces/${namespace}`;
    const { status } = await admin.ask<KubernetesObject>(
      'POST',
      `${core}/serviceaccounts/${spec.serviceAccountName}/token`,
      { spec: { expirationSeconds: 3_600 } },
    );
    const [container] = spec.containers as [Container];
    const maps = await Promise.all(
      container.envFrom.map(({ configMapRef: { name } }) =>
        admin.ask<KubernetesObject>('GET', `${core}/configmaps/${name}`),
      ),
    );
    const { items } = await admin.ask<{ items: KubernetesObject[] }>('GET', `${core}/services`);
    const environment = {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(admin.port),
      ...(spec.enableServiceLinks === false ? {} : together(items.map(linksTo))),
      ...together(maps.map(({ data }) => data as Environment)),
      // What is asked of the pod itself is its address.
      ...Object.fromEntries(container.env.map(({ name }) => [name, '127.0.0.1'])),
    };
    return new Pod(environment, status.token, namespace, admin.authority);
  }

  /** Its process, when it serves. */
  async start(): Promise<ServerProcess> {
    const files = await temporaryFolder();
    await cp(dirname(serverProgram()), join(files, 'app'), { recursive: true });
    for (const each of ['data', ACCOUNT]) await mkdir(join(files, each), { recursive: true });
    await writeFile(join(files, ACCOUNT, 'token'), this.token);
    await writeFile(join(files, ACCOUNT, 'namespace'), this.namespace);
    await writeFile(join(files, ACCOUNT, 'ca.crt'), await readFile(this.authority));
    const variables = Object.entries(this.environment).map(([name, value]) => `${name}=${value}`);
    const script = ['sh', '-c', CONTAINER, 'pod', ...variables, '/node', 'main.js'];
    const env = { PATH: process.env.PATH, ROOT: await temporaryFolder(), FILES: files, NODE: process.execPath };
    const child = spawn('unshare', ['--map-root-user', '--mount', ...script], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child);
    await server.serving();
    return server;
  }
}

interface Container {
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly { readonly name: string }[];
}

function together(environments: readonly Environment[]): Environment {
  return Object.fromEntries(environments.flatMap((each) => Object.entries(each)));
}

/** What a kubelet tells of a Service to pods that want to know. */
function linksTo({ metadata: { name }, spec }: KubernetesObject): Environment {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const [{ port }] = spec.ports;
  const url = `tcp://${spec.clusterIP}:${port}`;
  return {
    [`${prefix}_SERVICE_HOST`]: spec.clusterIP,
    [`${prefix}_SERVICE_PORT`]: String(port),
    [`${prefix}_PORT`]: url,
    [`${prefix}_PORT_${port}_TCP`]: url,
    [`${prefix}_PORT_${port}_TCP_PORT`]: String(port),
  };
}
