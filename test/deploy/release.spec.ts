import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../servers/command.js';
import { shared } from '../servers/kind.js';
import { kubernetes } from '../servers/kubernetes.js';
import { freePort } from '../servers/ports.js';
import { HttpClient } from '../support/http-client.js';
import type { Instance, Service } from '../support/instances.js';
import { endProcesses } from '../support/process.js';
import { until } from '../support/until.js';
import type { KubernetesObject } from './support/helm.js';
import { mayMount } from './support/mounts.js';
import { mayRelease, PATIENCE_MS, Release } from './support/release.js';

const MANIFESTS = join(import.meta.dirname, '../../k8s');
const TEST_MS = 240_000;

/** Where things of ours may be. */
const KINDS = [
  ...['configmaps', 'pods', 'secrets', 'serviceaccounts', 'services', 'persistentvolumeclaims'].map(
    (each) => `api/v1/${each}`,
  ),
  ...['deployments', 'replicasets'].map((each) => `apis/apps/v1/${each}`),
  ...['roles', 'rolebindings'].map((each) => `apis/rbac.authorization.k8s.io/v1/${each}`),
  'apis/autoscaling/v2/horizontalpodautoscalers',
  'apis/networking.k8s.io/v1/networkpolicies',
  'apis/policy/v1/poddisruptionbudgets',
];

let release: Release;

beforeEach(async () => {
  release = await Release.inNewNamespace();
});
afterEach(async () => {
  await endProcesses();
  await release.end();
});

/** Where files of a pod are laid over the machine's. */
const itInPod = mayRelease() && mayMount('--map-root-user') ? it : it.skip;

(mayRelease() ? describe : describe.skip)('a release', () => {
  async function ownObjects(): Promise<string[]> {
    const lists = await Promise.all(
      KINDS.map((kind) => release.admin.ask<{ items: KubernetesObject[] }>('GET', release.at(kind))),
    );
    return lists.flatMap(({ items }, i) =>
      items
        .filter(({ metadata }) => metadata.name.includes(Release.NAME))
        .map(({ metadata }) => `${KINDS[i]} ${metadata.name}`),
    );
  }

  it(
    'is installed, upgraded, rolled back and gone, under the restricted level',
    async () => {
      const options = Object.fromEntries(
        ['autoscaling', 'networkPolicy', 'podDisruptionBudget'].map((each) => [`${each}.enabled`, true]),
      );
      const told = await release.helm('install', { ...options, 'autoscaling.minReplicas': 3 });
      expect(told).toContain(`It discovers the Services of namespace ${release.namespace}; it registers nothing.`);
      await until(async () => (await release.deployment()).status.readyReplicas === 3, PATIENCE_MS);
      const slices = () =>
        release.admin.ask<{ items: KubernetesObject[] }>('GET', release.at('apis/discovery.k8s.io/v1/endpointslices'));
      await until(async () => (await slices()).items[0]?.endpoints?.length === 3, PATIENCE_MS);

      await release.helm('upgrade', { ...options, 'autoscaling.minReplicas': 3, 'config.env.SERVICE_TTL': '60s' });
      const variables = async () =>
        (await release.admin.ask<KubernetesObject>('GET', release.at('api/v1/configmaps', Release.NAME)))
          .data as Record<string, string>;
      expect(await variables()).toMatchObject({ SERVICE_TTL: '60s' });
      const { strategy } = (await release.deployment()).spec;
      expect(strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });

      await release.helm('rollback', {}, '1');
      expect(await variables()).not.toHaveProperty('SERVICE_TTL');

      await release.helm('uninstall');
      await until(async () => (await ownObjects()).length === 0, PATIENCE_MS);
    },
    TEST_MS,
  );

  it(
    'can be had without Helm, by kubectl apply -f k8s/',
    async () => {
      const kubectl = (...args: readonly string[]) =>
        run('kubectl', [...args, `--namespace=${release.namespace}`, `--kubeconfig=${shared(kubernetes)}`]);
      await kubectl('apply', '-f', MANIFESTS, '--validate=strict');
      await until(async () => (await release.deployment()).status.readyReplicas === 1, PATIENCE_MS);

      await kubectl('create', 'secret', 'generic', Release.NAME, '--from-literal=SERVICE_DISCOVERY_SECRET=x');
      await kubectl('set', 'env', `deployment/${Release.NAME}`, `--from=secret/${Release.NAME}`);
      const { env } = (await release.deployment()).spec.template.spec.containers[0];
      expect(env).toContainEqual({
        name: 'SERVICE_DISCOVERY_SECRET',
        valueFrom: { secretKeyRef: { name: Release.NAME, key: 'SERVICE_DISCOVERY_SECRET' } },
      });
      await kubectl('delete', 'secret', Release.NAME);
      await kubectl('delete', '-f', MANIFESTS);
      await until(async () => (await ownObjects()).length === 0, PATIENCE_MS);
    },
    TEST_MS,
  );

  itInPod.each([
    ['without service links', false],
    ['with service links', true],
  ])(
    'discovers what runs in the cluster with its ServiceAccount alone, %s',
    async (_how, links) => {
      const port = await freePort();
      await release.helm('install', { 'config.env.SERVICE_PORT': `${port}` });
      if (links) {
        const patch = { spec: { template: { spec: { enableServiceLinks: true } } } };
        await release.admin.ask('PATCH', release.at('apis/apps/v1/deployments', Release.NAME), patch);
      }
      const pod = await release.pod();
      expect('SERVICE_DISCOVERY_PORT' in pod.environment).toBe(links);
      const server = await pod.start();
      expect(server.port).toBe(port);
      const http = new HttpClient(server.url);

      await release.admin.ask('POST', release.at('apis/apps/v1/deployments'), web(3));
      await release.admin.ask('POST', release.at('api/v1/services'), WEB);
      const listed = async () => {
        const answer = await http.get<Service>('/api/v1/services/web');
        return answer.status === 200 ? answer.data.instances : [];
      };
      const count = (number: number) => until(async () => (await listed()).length === number, PATIENCE_MS);
      await count(3);
      expect((await http.get<Instance>('/api/v1/services/web/instance')).data.metadata.pod).toMatch(/^web-/);
      for (const replicas of links ? [0] : [300, 0]) {
        await release.admin.ask('PATCH', release.at('apis/apps/v1/deployments', 'web'), { spec: { replicas } });
        await count(replicas);
      }
      expect((await http.post('/api/v1/services', { name: 'x', host: '10.0.0.1', port: 1 })).status).toBe(403);
      await http.close();
      expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });

      await expectRights(pod.token);
    },
    TEST_MS,
  );

  /** To list and watch Services and EndpointSlices here, and what everybody may. */
  async function expectRights(token: string): Promise<void> {
    const ask = async (resource: string, verb: string, group = '', where = release.namespace) => {
      const spec = { resourceAttributes: { namespace: where, group, resource, verb } };
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const account = release.admin.as(token);
      const { status } = await account.ask<KubernetesObject>('POST', path, body).finally(() => account.close());
      return status.allowed as boolean;
    };
    for (const verb of ['list', 'watch']) {
      expect(await ask('services', verb)).toBe(true);
      expect(await ask('endpointslices', verb, 'discovery.k8s.io')).toBe(true);
      expect(await ask('services', verb, '', 'default')).toBe(false);
    }
    for (const verb of ['get', 'create', 'update', 'patch', 'delete']) expect(await ask('services', verb)).toBe(false);
    for (const resource of ['secrets', 'configmaps', 'pods']) expect(await ask(resource, 'list')).toBe(false);
    expect(await ask('leases', 'create', 'coordination.k8s.io')).toBe(false);
  }
});

const WEB = { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } };

function web(replicas: number): object {
  const securityContext = {
    ...{ runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false },
    ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
  };
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image: 'web', securityContext }] },
  };
  return { metadata: { name: 'web' }, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template } };
}
