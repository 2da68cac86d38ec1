import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { asBackendError, keyOf, type RegistryBackend } from '#core';
import { registration, Watcher } from '#core/testing';
import { consul, startAgent, startCluster, type ConsulAgent } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { endProcesses, ServerProcess, temporaryFolder } from '../../support/process.js';
import { until } from '../../support/until.js';
import { actor, createBackend, operate, START_MS } from './support/consul-under-test.js';
import { Way } from './support/way.js';

const TEST_MS = 2 * START_MS;
const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
}, START_MS);

async function agent(options: Parameters<typeof startAgent>[0] = {}): Promise<ConsulAgent> {
  const started = await startAgent(options);
  ended.push(() => started.server.stop());
  return started;
}

async function backendAt(port: number): Promise<RegistryBackend> {
  const backend = await createBackend({ CONSUL_PORT: String(port) });
  ended.push(() => backend.stop());
  await backend.start();
  return backend;
}

async function watch(backend: RegistryBackend): Promise<Watcher> {
  const watcher = new Watcher(backend);
  ended.push(() => watcher.stop());
  await watcher.until('the beginning', () => watcher.events.length > 0);
  return watcher;
}

const KEY = keyOf(registration());

/** Again and again while Consul is away, as a caller would; nothing else may go wrong. */
async function persistently(write: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const tried = async () => {
    try {
      await write(AbortSignal.timeout(3_000));
      return true;
    } catch (error) {
      const { code } = asBackendError(error);
      if (code === 'UNAVAILABLE' || code === 'OUTCOME_UNKNOWN') return false;
      throw error;
    }
  };
  await until(tried, 30_000);
}

function renewed(backend: RegistryBackend): Promise<void> {
  return persistently((signal) => backend.registrar!.renew(KEY, {}, { actor, signal }));
}

describeOwn(consul)('Consul', () => {
  it(
    'is killed and comes back: everything is there, and nothing has run out meanwhile',
    async () => {
      const consul = await agent();
      const backend = await backendAt(consul.port);
      const watcher = await watch(backend);
      await backend.registrar!.register(registration({ ttl: 3_000 }), { actor });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await consul.server.kill();
      await watcher.until('the outage', () => watcher.stale);
      await sleep(4_000);
      await consul.server.restart();
      await watcher.until('the end of it', () => !watcher.stale, 30_000);
      await renewed(backend);
      expect(watcher.removals(KEY)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'tells one server late of a heartbeat that another has taken: it ends no lease on that account',
    async () => {
      const ttl = 5_000;
      const consul = await agent();
      const way = await Way.to(consul.port);
      ended.push(() => way.close());
      const late = await backendAt(way.port);
      const backend = await backendAt(consul.port);
      const watcher = await watch(backend);
      await backend.registrar!.register(registration({ ttl }), { actor });
      await until(async () => (await late.list()).instances.length === 1);
      // It has heard of the registration, and is about to ask for the next heartbeat.
      way.hold('/v1/kv/service-discovery%2Fheartbeats%2F');
      await sleep(ttl / 2);
      await backend.registrar!.renew(KEY, {}, { actor });
      await sleep(ttl * 0.8);
      expect(way.held).toBeGreaterThan(0);
      expect(watcher.removals(KEY)).toEqual([]);
      await watcher.until('the end', () => watcher.removals(KEY).length === 1, ttl);
    },
    TEST_MS,
  );

  it(
    'stands still with its connections open: who asks is told so, and nothing runs out',
    async () => {
      const consul = await agent();
      const backend = await backendAt(consul.port);
      const watcher = await watch(backend);
      await backend.registrar!.register(registration({ ttl: 3_000 }), { actor });
      await consul.server.suspend();
      await expect(backend.ping(AbortSignal.timeout(1_000))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await sleep(4_000);
      consul.server.resume();
      await renewed(backend);
      await sleep(1_500);
      await renewed(backend);
      expect(watcher.removals(KEY)).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'is not there when a server starts: that says why it is not ready, then what it knows of an earlier start',
    async () => {
      const consul = await agent();
      const environment = { REGISTRY_TYPE: 'consul', CONSUL_PORT: String(consul.port), HEALTH_CHECK_ENABLED: 'false' };
      const DATA_DIR = await temporaryFolder();
      ended.push(endProcesses);
      const asked = async ({ url }: ServerProcess) => {
        const { status, headers } = await fetch(`${url}/api/v1/services/web`);
        return [status, headers.get('x-registry-source')];
      };
      const ready = (server: ServerProcess) =>
        until(async () => (await fetch(`${server.url}/health/ready`)).ok, TEST_MS);

      await consul.server.kill();
      const server = await ServerProcess.start({ ...environment, DATA_DIR });
      const { reason } = await server.logged(({ msg }) => /away, and nothing is known/.test(msg), 'the outage');
      expect(reason).toMatch(/^consul: .*ECONNREFUSED/);
      expect(await asked(server)).toEqual([503, null]);
      await consul.server.restart();
      await ready(server);
      const body = JSON.stringify({ service_name: 'web', address: '127.0.0.1', port: 80 });
      await fetch(`${server.url}/api/v1/register`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      await server.end('SIGTERM');

      await consul.server.kill();
      const next = await ServerProcess.start({ ...environment, DATA_DIR });
      await ready(next);
      expect(await asked(next)).toEqual([200, 'snapshot']);
      await consul.server.restart();
      await until(async () => (await asked(next))[1] === 'live', TEST_MS);
    },
    TEST_MS,
  );

  it(
    'loses its state: what is known becomes what there is, under another incarnation',
    async () => {
      const consul = await agent({ volatile: true });
      const backend = await backendAt(consul.port);
      const watcher = await watch(backend);
      await backend.registrar!.register(registration(), { actor });
      await operate(consul, 'PUT', 'agent/service/register', { Name: 'foreign' });
      await watcher.until('both', () => watcher.instances.size === 2);
      const { incarnation } = await backend.list();
      await consul.server.restart();
      await watcher.until('nothing', () => watcher.instances.size === 0 && !watcher.stale, 30_000);
      expect((await backend.list()).incarnation).not.toBe(incarnation);
      await expect(backend.registrar!.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await backend.registrar!.register(registration(), { actor });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    },
    TEST_MS,
  );

  it(
    'is put back to a snapshot: what was there at that time is there, whoever has registered it',
    async () => {
      const consul = await agent();
      await operate(consul, 'PUT', 'agent/service/register', { Name: 'foreign' });
      await until(async () => 'foreign' in (await operate(consul, 'GET', 'catalog/services')));
      const backend = await backendAt(consul.port);
      await backend.registrar!.register(registration(), { actor });
      const watcher = await watch(backend);
      await watcher.until('both', () => watcher.instances.size === 2);
      const saved = Buffer.from(await (await fetch(`${consul.address}/v1/snapshot`)).arrayBuffer());
      const Service = { Service: 'later' };
      await operate(consul, 'PUT', 'catalog/register', { Node: 'elsewhere', Address: '10.0.0.9', Service });
      await watcher.until('what is to be lost', () => watcher.instances.size === 3);
      await operate(consul, 'PUT', 'snapshot', saved);
      await watcher.until(
        'the present',
        () => watcher.get({ serviceName: 'later', serviceId: 'later' }) === undefined,
        30_000,
      );
      await watcher.until('both again', () => watcher.instances.size === 2);
      expect([...watcher.instances.keys()].sort()).toEqual(['api/api-1', 'foreign/foreign']);
    },
    TEST_MS,
  );

  it(
    'loses its leader: another one is followed',
    async () => {
      const [first, second, ...others] = (await startCluster(3)) as [ConsulAgent, ConsulAgent, ConsulAgent];
      for (const { server } of [first, second, ...others]) ended.push(() => server.stop());
      const backend = await backendAt(second.port);
      const watcher = await watch(backend);
      await backend.registrar!.register(registration({ ttl: 5_000 }), { actor });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await first.server.kill();
      await renewed(backend);
      await until(() => !watcher.stale, 30_000);
      const late = registration({ serviceId: 'late' });
      await persistently((signal) => backend.registrar!.register(late, { actor, signal }));
      await watcher.until('what comes now', () => watcher.get(late) !== undefined);
      expect(watcher.get(KEY)).toBeDefined();
      expect(watcher.removals(KEY)).toEqual([]);
    },
    2 * TEST_MS,
  );

  it(
    'limits requests: they are made later',
    async () => {
      const limits = ['limits { request_limits { mode = "enforcing" read_rate = 30 write_rate = 3 } }'];
      const consul = await agent({ name: 'agent-2', role: 'client', join: await agent({ configuration: limits }) });
      const backend = await backendAt(consul.port);
      const watcher = await watch(backend);
      const given = Array.from({ length: 40 }, (_, i) => registration({ serviceId: `id-${i}` }));
      for (const each of given) await backend.registrar!.register(each, { actor });
      await watcher.until('all of them', () => watcher.instances.size === given.length, 30_000);
    },
    TEST_MS,
  );

  it(
    'is cut off in the middle of an answer: it is asked again',
    async () => {
      const consul = await agent();
      const way = await Way.to(consul.port);
      ended.push(() => way.close());
      const backend = await backendAt(way.port);
      const watcher = await watch(backend);
      way.cutNext();
      await (await backendAt(consul.port)).registrar!.register(registration(), { actor });
      const begun = performance.now();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      expect(way.cuts).toBeGreaterThan(0);
      expect(performance.now() - begun).toBeLessThan(5_000);
    },
    TEST_MS,
  );
});
