import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { REGISTRIES } from '../replicas/support/registries.js';
import { HttpClient } from '../support/http-client.js';
import { register, type Service } from '../support/instances.js';
import {
  endProcesses,
  TEST_MS,
  temporaryFolder,
  within,
  type Environment,
  type ServerProcess,
} from '../support/process.js';
import { firstProcess, Images, type Container } from './support/images.js';
import { mayMount } from './support/mounts.js';
import { buildah } from './support/tools.js';

const TAG = 'service-discovery:test';
const BUILD_MS = 900_000;
const ALONE: Environment = { AUTH_DISABLED: 'true', SERVICE_HOST: '127.0.0.1', LOG_LEVEL: 'info' };

/** Containers take root here. With CI set the runner has failed before, for want of the program. */
const prepared = process.env.CI || (process.getuid?.() === 0 && buildah.find() !== undefined);
const possible = prepared && mayMount();

/** A kubeconfig that names no file beside it. */
async function withAuthority(file: string): Promise<string> {
  const config = JSON.parse(await readFile(file, 'utf8'));
  const { cluster } = config.clusters[0];
  cluster['certificate-authority-data'] = (await readFile(cluster['certificate-authority'])).toString('base64');
  delete cluster['certificate-authority'];
  return JSON.stringify(config);
}

(possible ? describe : describe.skip)('the image', () => {
  let folder: string;
  let images: Images;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-discovery-images-'));
    images = await Images.create(folder);
    await images.build(resolve(import.meta.dirname, '../..'), TAG, { VERSION: '1.2.3', REVISION: 'abc' });
  }, BUILD_MS);
  afterEach(endProcesses);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function ended(container: Container, environment: Environment, command?: readonly string[]) {
    const process = container.start(environment, command);
    const exit = await within(process.exited, 'the end');
    return { code: exit.code, said: process.stdout + process.stderr };
  }

  async function stop(server: ServerProcess) {
    process.kill(await firstProcess(server), 'SIGTERM');
    return within(server.exited, 'the end after SIGTERM');
  }

  it('says what it is, and is small', async () => {
    const config = await images.config(TAG);
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'service-discovery',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abc',
    });
    expect(config.StopSignal).toBe('SIGTERM');
    const [own, base] = [await images.size(TAG), await images.size('docker.io/library/node:24-bookworm-slim')];
    expect(own - base).toBeLessThan(30e6);
  });

  it(
    'serves as nobody in particular on a read-only file system, is healthy, and stops in order as the first process',
    async () => {
      const container = await images.container(TAG, await temporaryFolder());
      const environment = {
        ...{ ...ALONE, REGISTRY_TYPE: 'memory', DATA_DIR: '/data/registry', SERVICE_PORT: String(await freePort()) },
      };
      const healthy = container.config.Healthcheck.Test.slice(1);
      expect(await ended(container, environment, healthy)).toMatchObject({
        code: 1,
        said: expect.stringMatching(/ECONNREFUSED/),
      });

      const server = container.start(environment);
      await server.serving();
      expect(await ended(container, environment, healthy)).toEqual({ code: 0, said: '' });
      const status = await readFile(`/proc/${await firstProcess(server)}/status`, 'utf8');
      expect(status).toMatch(/^NSpid:\t\d+\t1$/m);
      expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
      const http = new HttpClient(server.url);
      await register(http, { service_id: 'a', ttl: '300s', address: '10.0.0.1' });
      await http.close();
      expect(await stop(server)).toEqual({ code: 0, signal: null });

      const again = container.start(environment);
      await again.serving();
      const client = new HttpClient(again.url);
      expect((await client.get<Service>('/api/v1/services/api')).data.total_instances).toBe(1);
      await client.close();
      expect(await stop(again)).toEqual({ code: 0, signal: null });

      const touch = await ended(container, {}, ['touch', '/app/file']);
      expect(touch).toMatchObject({ code: 1, said: expect.stringMatching(/Read-only file system/) });
    },
    TEST_MS,
  );

  it(
    'guesses no registry, and lets nobody in unasked',
    async () => {
      const container = await images.container(TAG, await temporaryFolder());
      const { code, said } = await ended(container, {});
      expect(code).toBe(1);
      expect(said).toContain('REGISTRY_TYPE');
      expect(said).toContain('AUTH_DISABLED');
    },
    TEST_MS,
  );

  it.each(REGISTRIES)(
    'serves in front of $type',
    async (registry) => {
      const data = await temporaryFolder();
      const given: Record<string, string> = { ...(await registry.environment()), ...ALONE };
      if (given.KUBECONFIG !== undefined) {
        await writeFile(join(data, 'kubeconfig'), await withAuthority(given.KUBECONFIG));
        given.KUBECONFIG = '/data/kubeconfig';
      }
      const container = await images.container(TAG, data);
      const server = container.start({ ...given, SERVICE_PORT: String(await freePort()) });
      await server.logged(({ msg }) => msg === 'the view follows the registry', 'the view');
      await server.serving();
      const http = new HttpClient(server.url);
      await register(http, { address: '10.0.0.1' });
      await http.close();
      expect(await stop(server)).toEqual({ code: 0, signal: null });
    },
    TEST_MS,
  );
});
