import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from '../../support/http-client.js';
import { within, type Environment, type Exit, type ServerProcess } from '../../support/process.js';
import type { Admin } from '../../backends/kubernetes/support/admin.js';
import { startContainer } from './container.js';
import type { KubernetesObject } from './helm.js';
import { Volume, type Contents } from './volume.js';

// Kwok plays the kubelet: a pod's process does not run. Here it does, with what a kubelet would give it.

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Of the image. */
const COMMAND = ['node', '/app/main.js'];

/** A pod of a Deployment, as the cluster has it. */
export class Pod {
  private readonly volumes = new Map<string, Volume>();
  private running: ServerProcess | undefined;

  private constructor(
    private readonly admin: Admin,
    private readonly namespace: string,
    private readonly spec: PodSpec,
    readonly environment: Environment,
    readonly token: string,
  ) {}

  /** @param address Of loopback, for the pod alone. */
  static async of(admin: Admin, namespace: string, deployment: string, address = '127.0.0.1'): Promise<Pod> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`;
    const spec = (await admin.ask<KubernetesObject>('GET', path)).spec.template.spec as PodSpec;
    const core = `/api/v1/namespaces/${namespace}`;
    const { status } = await admin.ask<KubernetesObject>(
      'POST',
      `${core}/serviceaccounts/${spec.serviceAccountName}/token`,
      { spec: { expirationSeconds: 3_600 } },
    );
    const [{ envFrom, env }] = spec.containers;
    const maps = await Promise.all(
      envFrom.map(({ configMapRef: { name } }) => admin.ask<KubernetesObject>('GET', `${core}/configmaps/${name}`)),
    );
    const { items } = await admin.ask<{ items: KubernetesObject[] }>('GET', `${core}/services`);
    const environment = {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(admin.port),
      ...(spec.enableServiceLinks === false ? {} : together(items.map(linksTo))),
      ...together(maps.map(({ data }) => data as Environment)),
      // What is asked of the pod itself is its address. All addresses of a pod's network are its own; here one is.
      ...Object.fromEntries(env.map(({ name }) => [name, address])),
      SERVICE_HOST: address,
    };
    return new Pod(admin, namespace, spec, environment, status.token);
  }

  /** Its process, when it serves. */
  async start(): Promise<ServerProcess> {
    const mounts: Record<string, string> = {};
    for (const { name, mountPath } of this.spec.containers[0].volumeMounts) {
      const contents = await this.contentsOf(name);
      if (contents === undefined) continue;
      const volume = await Volume.of(contents);
      this.volumes.set(name, volume);
      mounts[mountPath] = volume.folder;
    }
    const account = { token: this.token, namespace: this.namespace, 'ca.crt': await readFile(this.admin.authority) };
    mounts[ACCOUNT] = (await Volume.of(account)).folder;
    this.running = await startContainer(COMMAND, this.environment, mounts);
    await this.running.serving();
    return this.running;
  }

  /** Takes what Secrets and ConfigMaps say by now into its volumes. */
  async refresh(): Promise<void> {
    for (const [name, volume] of this.volumes) await volume.write((await this.contentsOf(name))!);
  }

  /** Whether a probe succeeds. Whose certificate it is shown, a kubelet does not look at. */
  async passes(probe: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Promise<boolean> {
    const { scheme = 'HTTP', path } = this.spec.containers[0][probe].httpGet;
    const { SERVICE_HOST: host, SERVICE_PORT: port } = this.environment;
    const kubelet = new HttpClient(`${scheme.toLowerCase()}://${host}:${port}`, {}, { rejectUnauthorized: false });
    const { status } = await kubelet.get(path).finally(() => kubelet.close());
    return status >= 200 && status < 400;
  }

  /** As a kubelet does it: the hook first, then the signal, and no more time than the pod is given. */
  async stop(): Promise<Exit> {
    const [{ lifecycle }] = this.spec.containers;
    const { seconds } = lifecycle.preStop.sleep;
    await sleep(seconds * 1_000);
    this.running!.signal('SIGTERM');
    const left = this.spec.terminationGracePeriodSeconds - seconds;
    return within(this.running!.exited, 'the end within the grace period', left * 1_000);
  }

  /** Of a volume that has any. */
  private async contentsOf(volume: string): Promise<Contents | undefined> {
    const { secret, configMap } = this.spec.volumes.find(({ name }) => name === volume)!;
    const of = secret ? `secrets/${secret.secretName}` : configMap && `configmaps/${configMap.name}`;
    if (of === undefined) return undefined;
    const { data } = await this.admin.ask<{ data: Record<string, string> }>(
      'GET',
      `/api/v1/namespaces/${this.namespace}/${of}`,
    );
    return secret ? decoded(data) : data;
  }
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly scheme?: 'HTTP' | 'HTTPS' };
}

interface Container {
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly { readonly name: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
  readonly volumes: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string };
    readonly configMap?: { readonly name: string };
  }[];
}

function decoded(data: Readonly<Record<string, string>>): Contents {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64')]));
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
