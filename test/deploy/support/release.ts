import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { Admin } from '../../backends/kubernetes/support/admin.js';
import { hasPrograms, isAvailable } from '../../servers/index.js';
import { kubernetes } from '../../servers/kubernetes.js';
import { temporaryFolder, within, type Environment } from '../../support/process.js';
import { until } from '../../support/until.js';
import { startContainer } from './container.js';
import { CHART, onCluster, set, type KubernetesObject, type Values } from './helm.js';
import { Pod } from './pod.js';
import { helm } from './tools.js';

/** Pods of the cluster become ready within a second or two; the machine may be busy. */
export const WAIT = ['--wait', '--timeout=2m'];
export const PATIENCE_MS = 60_000;

/** Needs Helm and a control plane. With CI set the runner has failed before, for want of either. */
export const mayRelease = (): boolean => hasPrograms({ programs: [helm] }) && isAvailable(kubernetes);

/** A release of the chart in a namespace of its own, under the level that lets nothing in that has a right which it can do without. */
export class Release {
  static readonly NAME = 'service-discovery';

  private constructor(
    readonly admin: Admin,
    readonly namespace: string,
  ) {}

  /** Nothing is installed yet. */
  static async inNewNamespace(): Promise<Release> {
    const namespace = `deploy-${randomUUID().slice(0, 8)}`;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const admin = new Admin();
    await admin.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels } });
    return new Release(admin, namespace);
  }

  async end(): Promise<void> {
    await this.admin.ask('DELETE', `/api/v1/namespaces/${this.namespace}`);
    this.admin.close();
  }

  /** What helm says. */
  helm(command: string, values: Values = {}, ...more: readonly string[]): Promise<string> {
    const chart = ['install', 'upgrade'].includes(command) ? [CHART] : [];
    return onCluster(this.namespace, command, Release.NAME, ...chart, ...WAIT, ...set(values), ...more);
  }

  deployment(): Promise<KubernetesObject> {
    return this.admin.ask<KubernetesObject>('GET', this.at('apis/apps/v1/deployments', Release.NAME));
  }

  /** Of the Deployment as it is now; see Pod.of. */
  pod(address?: string): Promise<Pod> {
    return Pod.of(this.admin, this.namespace, Release.NAME, address);
  }

  at(kind: string, name = ''): string {
    const [, group, plural] = /^(.*)\/(.*)$/.exec(kind)!;
    return `/${group}/namespaces/${this.namespace}/${plural}${name && `/${name}`}`;
  }

  /**
   * `helm test`: what helm says. Its pod's process runs here.
   *
   * @param service Where the release's Service leads; a cluster's DNS would know.
   */
  async test(service: string): Promise<string> {
    const path = this.at('api/v1/pods', `${Release.NAME}-test`);
    const phase = () =>
      this.admin.ask<KubernetesObject>('GET', path).then(
        ({ status }) => status.phase as string,
        () => 'none',
      );
    const told = onCluster(this.namespace, 'test', Release.NAME, '--timeout=2m');
    // Looked at below; until then nobody does.
    told.catch(() => undefined);
    await until(async () => (await phase()) === 'Running', PATIENCE_MS);
    const [{ command, env }] = (await this.admin.ask<KubernetesObject>('GET', path)).spec.containers as [TestContainer];
    const hosts = join(await temporaryFolder(), 'hosts');
    await writeFile(hosts, `${service} ${Release.NAME}\n`);
    const environment: Environment = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const process = await startContainer(command, environment, { '/etc/hosts': hosts });
    const { code } = await within(process.exited, 'the end of the test');
    await this.admin.ask('PATCH', `${path}/status`, { status: { phase: code === 0 ? 'Succeeded' : 'Failed' } });
    return told.catch((cause: unknown) => {
      throw new Error(process.stderr, { cause });
    });
  }
}

interface TestContainer {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
}
