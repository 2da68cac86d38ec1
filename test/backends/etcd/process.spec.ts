import { afterAll, describe, expect, it } from '@jest/globals';
import { etcd } from '../../servers/etcd.js';
import { shared } from '../../servers/kind.js';
import { HttpClient } from '../../support/http-client.js';
import { ids, instancePath, register, type Service } from '../../support/instances.js';
import { endProcesses, ServerProcess, temporaryFolder, TEST_MS, type Environment } from '../../support/process.js';
import { Proxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import { answersAsMemoryDoes } from '../../support/walk.js';
import { newPrefix } from './fixture.js';

const environment = (): Environment => ({
  REGISTRY_TYPE: 'etcd',
  ETCD_HOSTS: shared(etcd),
  REGISTRY_PREFIX: newPrefix(),
  HEALTH_CHECK_ENABLED: 'false',
});

describe('a server in front of etcd', () => {
  answersAsMemoryDoes(environment);
});

describe('the start of a server', () => {
  afterAll(endProcesses);

  it(
    'ends with one line when the credentials are wrong',
    async () => {
      const user = { ETCD_USER: 'nobody', ETCD_PASSWORD: 'correct horse' };
      const { code, stderr, stdout } = await ServerProcess.run({ ...environment(), ...user });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^could not start: etcd at http:\/\/\S+: authentication is not enabled\n$/);
      expect(stdout).not.toContain(user.ETCD_PASSWORD);
    },
    TEST_MS,
  );

  it(
    'without etcd is not ready, with DATA_DIR answers what was last known, and becomes live by itself',
    async () => {
      const way = await Proxy.to(Number(new URL(shared(etcd)).port));
      const behind = { ...environment(), ETCD_HOSTS: `127.0.0.1:${way.port}` };
      const DATA_DIR = await temporaryFolder();
      await withServer({ ...behind, DATA_DIR }, async (http, server) => {
        await register(http, { id: 'known', ttl: '300s' });
        await server.end('SIGTERM');
      });
      await way.cut();
      await withServer(behind, async (http) => {
        expect((await http.get('/health/ready')).status).toBe(503);
      });
      await withServer({ ...behind, DATA_DIR }, async (http, server) => {
        await server.logged(({ msg }) => msg === 'answers are of an earlier start', 'what it remembers');
        const known = await http.get<Service>('/api/v1/services/api');
        expect([known.headers['x-registry-source'], ids(known.data.instances)]).toEqual(['snapshot', ['known']]);
        const refused = await http.put(`${instancePath('api', 'known')}/heartbeat`);
        expect([refused.status, refused.type]).toEqual([503, 'application/problem+json']);
        await way.mend();
        const source = async () => (await http.get('/api/v1/services/api')).headers['x-registry-source'];
        await until(async () => (await source()) === 'live', 20_000);
        expect((await http.put(`${instancePath('api', 'known')}/heartbeat`)).status).toBe(200);
      });
      await way.close();
    },
    TEST_MS,
  );
});

async function withServer(
  variables: Environment,
  work: (http: HttpClient, server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start(variables);
  const http = new HttpClient(server.url);
  try {
    await work(http, server);
  } finally {
    await http.close();
    await server.end('SIGKILL');
  }
}
