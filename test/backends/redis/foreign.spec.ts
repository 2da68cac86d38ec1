import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { keyOf, silentLogger, type RegistryBackend } from '#core';
import { FULL, registration, type Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { FORGETFUL, asOperator, redis, startRedis } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { actor, Bench, createBackend, find, ids, register } from './support/redis-under-test.js';

const KEY = keyOf(registration());
const FIELD = 'api/api-1';
const INSTANCES = '{service-discovery}:instances';

describeOwn(redis)('values in Redis that are not of this release', () => {
  let server: Server;
  let backend: RegistryBackend;
  let watcher: Watcher;
  let complaints: string[];
  const bench = new Bench();

  beforeAll(async () => {
    server = await startRedis(FORGETFUL);
  }, 60_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    await asOperator(server, (client) => client.flushall());
    complaints = [];
    const warn = (_fields: object, message: string) => complaints.push(message);
    backend = await bench.start({ REDIS_URL: server.address }, { logger: { ...silentLogger, warn } });
    watcher = await bench.watch(backend);
    await register(backend);
    await register(backend, { serviceId: 'other' });
    await watcher.until('both', () => watcher.instances.size === 2);
  });

  const write = (value: string) => asOperator(server, (client) => client.hset(INSTANCES, FIELD, value));

  /** As another release does it. */
  async function writeAndTell(value: object): Promise<void> {
    await asOperator(server, async (client) => {
      const version = await client.hincrby('{service-discovery}:registry', 'version', 1);
      await client.hset(INSTANCES, FIELD, JSON.stringify({ version: `${version}`, ...value }));
      await client.xadd('{service-discovery}:changes', `${version}-0`, 'key', FIELD, 'said', 'in passing');
    });
  }

  async function stored(): Promise<Record<string, unknown>> {
    const text = await asOperator(server, (client) => client.hget(INSTANCES, FIELD));
    return JSON.parse(text!) as Record<string, unknown>;
  }

  it.each([
    'not JSON',
    '',
    'null',
    '[]',
    '{"v":1}',
    '{"version":"x","v":1}',
    '{"version":"7","v":1000,"of":"a release to come"}',
    '{"version":"7","v":1,"serviceName":"api","serviceId":"api-1"}',
    JSON.stringify({ version: '7', v: 1, ...registration({ serviceId: 'another' }) }),
  ])('are left out, can be deregistered, and spoil nothing else: %s', async (value) => {
    await write(value);
    expect(await ids(backend)).toEqual(['other']);
    await backend.list();
    expect(complaints).toEqual(['records in Redis cannot be read by this release: they are left out']);
    const conflict = { code: 'CONFLICT' };
    await expect(register(backend)).rejects.toMatchObject(conflict);
    await expect(backend.registrar!.update(KEY, { kind: 'patch', weight: 1 }, { actor })).rejects.toMatchObject(
      conflict,
    );
    await backend.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    await watcher.until('the removal', () => watcher.get(KEY) === undefined);
    expect(await register(backend)).toMatchObject({ created: true });
  });

  it('go from the view of a release that cannot read them any more, and keep their lease', async () => {
    await writeAndTell({ ttl: 60_000, v: 1_000 });
    await watcher.until('the removal', () => watcher.get(KEY) === undefined);
    expect(watcher.removals(KEY)).toMatchObject([{ cause: 'unknown' }]);
    const renewal = await backend.registrar!.renew(KEY, {}, { actor });
    expect(renewal.version).toBe((await stored()).version);
  });

  it('keep the fields that this release does not know when it rewrites them', async () => {
    const { version: _, ...record } = await stored();
    await writeAndTell({ ...record, check: { ...FULL.check, jitter: 5 }, colour: { of: 'a release to come' } });
    await watcher.until('the new state', () => watcher.get(KEY)?.check !== undefined);
    await backend.registrar!.update(KEY, { kind: 'patch', tags: ['new'] }, { actor });
    await register(backend, { check: FULL.check, port: 1 });
    expect(await stored()).toMatchObject({
      tags: [],
      port: 1,
      check: { jitter: 5 },
      colour: { of: 'a release to come' },
    });
    expect(await find(backend, KEY.serviceId)).toMatchObject({
      unknownFields: { colour: { of: 'a release to come' } },
    });
  });

  it.each(['heavy', 'heavy since yesterday'])('of heartbeats and loads count as none: %s', async (load) => {
    await asOperator(server, async (client) => {
      await client.hset('{service-discovery}:heartbeats', FIELD, 'yesterday');
      await client.hset('{service-discovery}:loads', FIELD, load);
    });
    expect((await find(backend, KEY.serviceId))?.vitals).toEqual({});
    await backend.registrar!.renew(KEY, { loadPercentage: 0.5 }, { actor });
    await watcher.until('the load', () => watcher.get(KEY)?.vitals.loadPercentage === 0.5);
  });

  it('of another type stop the start', async () => {
    await asOperator(server, (client) => client.set('{taken}:registry', 'by somebody else'));
    const late = await createBackend({ REDIS_URL: server.address, REGISTRY_PREFIX: 'taken' });
    await expect(late.start()).rejects.toThrow(/^Redis at 127.0.0.1:\d+: WRONGTYPE [^\n]+$/);
  });
});
