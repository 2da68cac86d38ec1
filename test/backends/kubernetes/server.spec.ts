import { afterAll, beforeAll, it } from '@jest/globals';
import { describeOwn } from '../../servers/describe-own.js';
import { kubeRequest } from '../../servers/kubeconfig.js';
import { kubernetes, startApiServer } from '../../servers/kubernetes.js';
import { serverContract } from '../../servers/server-contract.js';
import type { Server } from '../../servers/server.js';
import { until } from '../../support/until.js';

const TEST_MS = 120_000;
const DEFAULT = '/api/v1/namespaces/default';

serverContract(
  kubernetes,
  {
    write: async (address, name, value) => {
      await kubeRequest(address, 'POST', `${DEFAULT}/configmaps`, { metadata: { name }, data: { value } });
    },
    read: async (address, name) => {
      const { data } = (await kubeRequest(address, 'GET', `${DEFAULT}/configmaps/${name}`)) as ConfigMap;
      return data.value;
    },
  },
  startApiServer,
);

describeOwn(kubernetes)('a cluster', () => {
  let cluster: Server;
  beforeAll(async () => {
    cluster = await kubernetes.start();
  }, TEST_MS);
  afterAll(() => cluster.stop());

  it(
    'has ready pods, and their endpoints',
    async () => {
      const labels = { app: 'app' };
      const containers = [{ name: 'app', image: 'app' }];
      await kubeRequest(cluster.address, 'POST', '/apis/apps/v1/namespaces/default/deployments', {
        metadata: { name: 'app' },
        spec: {
          replicas: 3,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      });
      await kubeRequest(cluster.address, 'POST', `${DEFAULT}/services`, {
        metadata: { name: 'app', labels },
        spec: { selector: labels, ports: [{ port: 80 }] },
      });
      await until(async () => (await readyEndpoints(cluster.address, 'app')) === 3, TEST_MS);
    },
    TEST_MS,
  );
});

async function readyEndpoints(address: string, app: string): Promise<number> {
  const slices = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=app%3D${app}`;
  const { items } = (await kubeRequest(address, 'GET', slices)) as EndpointSlices;
  return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions.ready).length;
}

interface ConfigMap {
  readonly data: { readonly value: string };
}

interface EndpointSlices {
  readonly items: readonly { readonly endpoints: readonly Endpoint[] | null }[];
}

interface Endpoint {
  readonly conditions: { readonly ready: boolean };
}
