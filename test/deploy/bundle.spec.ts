import { spawn } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { REGISTRIES } from '../replicas/support/registries.js';
import { serverProgram } from '../support/build.js';
import { HttpClient } from '../support/http-client.js';
import { instancePath, register } from '../support/instances.js';
import { endProcesses, ServerProcess, temporaryFolder, TEST_MS, within, type Environment } from '../support/process.js';

afterEach(endProcesses);

/** The bundle alone, where it can borrow nothing from this repository's packages. */
async function start(environment: Environment): Promise<ServerProcess> {
  const folder = await temporaryFolder();
  await cp(dirname(serverProgram()), folder, { recursive: true });
  const env = { ENVIRONMENT: 'test', SERVICE_HOST: '127.0.0.1', SERVICE_PORT: '0', LOG_LEVEL: 'info', ...environment };
  const child = spawn(process.execPath, ['main.js'], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const server = new ServerProcess(child);
  await server.serving();
  return server;
}

describe('the bundle', () => {
  it.each(REGISTRIES)(
    'has what $type needs',
    async (registry) => {
      const server = await start(await registry.environment());
      const http = new HttpClient(server.url);
      await server.logged(({ msg }) => msg === 'the view follows the registry', 'the view');
      const { service_id: id } = await register(http, { address: '10.0.0.1' });
      expect((await http.put(`${instancePath('api', id)}/heartbeat`)).status).toBe(200);
      await http.close();
      expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    },
    TEST_MS,
  );

  it(
    'has what the memory registry needs to outlive its process, JSON Schemas and the pages',
    async () => {
      const environment = { REGISTRY_TYPE: 'memory', DATA_DIR: await temporaryFolder() };
      const first = await start(environment);
      const http = new HttpClient(first.url);
      await register(http, { service_id: 'a' });
      for (const [$schema, status] of [
        ['https://json-schema.org/draft/2020-12/schema', 201],
        ['http://json-schema.org/draft-07/schema#', 200],
      ])
        expect((await http.put('/api/v1/config/api/schema', { $schema, type: 'object' })).status).toBe(status);
      await http.close();
      await first.end('SIGKILL');

      const second = await start(environment);
      for (const [path, text] of [
        ['/api/v1/services/api', '"service_id":"a"'],
        ['/docs-json', '"openapi":"3.1.0"'],
        ['/docs/swagger-ui-bundle.js', 'SwaggerUIBundle'],
        ['/docs/swagger-ui.css', '.swagger-ui'],
      ] as const) {
        const answer = await within(fetch(`${second.url}${path}`), path);
        expect(await answer.text()).toContain(text);
      }
    },
    TEST_MS,
  );

  it('names classes and constructors as their sources do, and spends nothing on functions', async () => {
    const chunks = join(dirname(serverProgram()), 'chunks');
    const sources = await Promise.all((await readdir(chunks)).map((name) => readFile(join(chunks, name), 'utf8')));
    const marks = sources.flatMap((source) => [...source.matchAll(/__name\(([^()]*),"([^"]+)"\)/g)]);
    const named = marks.map(([, target, name]) => ({ isClass: target === 'this', name: name! }));
    for (const name of ['BackendError', 'RedisError']) expect(named).toContainEqual({ isClass: true, name });
    expect(named).toContainEqual({ isClass: false, name: 'FastifyError' });
    expect(named.filter(({ isClass, name }) => !isClass && /^[a-z]/.test(name))).toEqual([]);
  });

  it('says what it consists of, and under which licences', async () => {
    const folder = dirname(serverProgram());
    const [bill, licenses] = await Promise.all(
      ['sbom.cdx.json', 'LICENSES.txt'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const { bomFormat, components } = JSON.parse(bill!);
    expect(bomFormat).toBe('CycloneDX');
    const lock = JSON.parse(await readFile(join(import.meta.dirname, '../../package-lock.json'), 'utf8'));
    for (const name of ['fastify', 'etcd3', 'protobufjs', 'ioredis', 'swagger-ui-dist']) {
      const { version } = lock.packages[`node_modules/${name}`];
      expect(components).toContainEqual(expect.objectContaining({ name, version, purl: `pkg:npm/${name}@${version}` }));
      expect(licenses).toContain(`${name} ${version}\n`);
    }
    expect(bill).not.toContain('jest');
  });
});
