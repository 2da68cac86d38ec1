import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asBackendError, keyOf, type RegistryBackend } from '#core';
import { registration, type Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { FORGETFUL, asOperator, portOf, redis, startRedis } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { Proxy } from '../../support/proxy.js';
import { actor, Bench, find, ids, register } from './support/redis-under-test.js';

const KEY = keyOf(registration());
const KEYS = { instances: '{service-discovery}:instances', changes: '{service-discovery}:changes' };

describeOwn(redis)('what Redis tells its replicas', () => {
  let server: Server;
  let one: RegistryBackend;
  let other: RegistryBackend;
  let watcher: Watcher;
  const bench = new Bench();

  beforeAll(async () => {
    server = await startRedis(FORGETFUL);
  }, 60_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    await asOperator(server, (client) => client.flushall());
    one = await bench.start({ REDIS_URL: server.address });
    other = await bench.start({ REDIS_URL: server.address });
    watcher = await bench.watch(other);
  });

  const changes = () => asOperator(server, (client) => client.xlen(KEYS.changes));
  const snapshots = () => watcher.events.filter(({ kind }) => kind === 'snapshot').length;

  describe('of a heartbeat', () => {
    it('is nothing', async () => {
      const { instance } = await register(one);
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      const seen = watcher.events.length;
      for (let i = 0; i < 20; i++) await one.registrar!.renew(KEY, { status: 'passing' }, { actor });
      const { instance: last } = await register(one, { serviceId: 'last' });
      await watcher.until('the last', () => watcher.get(last) !== undefined);
      expect(watcher.events).toHaveLength(seen + 1);
      expect(await changes()).toBe(2);
      expect((await find(other, KEY.serviceId))?.version).toBe(instance.version);
    });

    it('shows when everything is read', async () => {
      await register(one);
      const { vitals } = await one.registrar!.renew(KEY, {}, { actor });
      expect((await find(other, KEY.serviceId))?.vitals).toEqual({ lastHeartbeat: vitals.lastHeartbeat });
    });

    it('is a load that has moved, and not more often than every five seconds', async () => {
      let now = 1_000_000;
      const telling = await bench.start({ REDIS_URL: server.address }, { now: () => now });
      await register(telling);
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      const load = async (loadPercentage: number, afterMs: number) => {
        now += afterMs;
        await telling.registrar!.renew(KEY, { loadPercentage, activeConnections: 3 }, { actor });
      };
      await load(0.5, 0);
      await watcher.until('the load', () => watcher.get(KEY)?.vitals.loadPercentage === 0.5);
      expect(watcher.get(KEY)?.vitals).toEqual({
        lastHeartbeat: now,
        loadPercentage: 0.5,
        loadAt: now,
        activeConnections: 3,
      });
      await load(0.9, 4_000);
      await load(0.54, 4_000);
      await load(0.45, 1_000);
      await watcher.until('the next', () => watcher.get(KEY)?.vitals.loadPercentage === 0.45);
      await load(0.2, -3_600_000);
      await watcher.until(
        'that of a replica whose clock is behind',
        () => watcher.get(KEY)?.vitals.loadPercentage === 0.2,
      );
      const told = watcher.events.flatMap((event) =>
        event.kind === 'upsert' ? [event.instance.vitals.loadPercentage] : [],
      );
      expect(told).toEqual([undefined, 0.5, 0.45, 0.2]);
      expect(await changes()).toBe(1);
    });
  });

  it('is what each has done of many who ask at once', async () => {
    const { instance } = await register(one);
    const renew = (serviceId: string, ifVersion?: string) =>
      one.registrar!.renew({ ...KEY, serviceId }, {}, { actor, ifVersion }).then(
        ({ version }) => version,
        (error: unknown) => asBackendError(error).code,
      );
    const known = Array.from({ length: 150 }, () => renew(KEY.serviceId));
    const [none, outdated, twice, ...versions] = await Promise.all([
      renew('none'),
      renew(KEY.serviceId, '1'),
      Promise.all([1, 2].map((port) => register(one, { serviceId: 'twice', port }))),
      ...known,
    ]);
    expect([none, outdated]).toEqual(['NOT_FOUND', 'CONFLICT']);
    expect(new Set(versions)).toEqual(new Set([instance.version]));
    expect(twice.map(({ created }) => created)).toEqual([true, false]);
    expect((await find(other, 'twice'))?.port).toBe(2);
    expect(await ids(other)).toEqual([KEY.serviceId, 'twice']);
  });

  it('after a cut goes on where it stopped, causes included', async () => {
    const proxy = await Proxy.to(portOf(server));
    try {
      const cut = await bench.start({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
      const reader = await bench.watch(cut);
      await register(one);
      await reader.until('the instance', () => reader.get(KEY) !== undefined);
      await proxy.cut();
      await reader.until('the outage', () => reader.stale);
      await Promise.all(Array.from({ length: 1_200 }, (_, i) => register(one, { serviceId: `id-${i}` })));
      await one.registrar!.deregister(KEY, { actor: 'leaver', cause: 'deregistered' });
      await proxy.mend();
      await reader.until('the end of it', () => !reader.stale);
      expect(reader.events.filter(({ kind }) => kind === 'snapshot')).toHaveLength(1);
      expect(reader.removals(KEY)).toMatchObject([{ cause: 'deregistered', actor: 'leaver' }]);
      expect(reader.get(KEY)).toBeUndefined();
      expect(reader.instances.size).toBe(1_200);
    } finally {
      await proxy.close();
    }
  }, 60_000);

  describe('when all is flushed', () => {
    beforeEach(async () => {
      await register(one);
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    });

    it('is that, though nobody writes', async () => {
      const { incarnation } = await other.list();
      await asOperator(server, (client) => client.flushall());
      await watcher.until('nothing', () => snapshots() > 1 && watcher.instances.size === 0, 2_000);
      expect((await other.list()).incarnation).not.toBe(incarnation);
    });

    it('is what comes next, at a version newer than all before', async () => {
      const { asOf } = await other.list();
      await asOperator(server, (client) => client.flushall());
      const { instance } = await register(one, { serviceId: 'next' });
      await watcher.until('the next', () => watcher.get(instance) !== undefined);
      expect(await ids(other)).toEqual(['next']);
      expect(BigInt(instance.version)).toBeGreaterThan(BigInt(asOf));
      await expect(one.registrar!.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  it('is everything anew when the log has lost what was not read', async () => {
    await register(one);
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    // An entry that nobody gets to read.
    await asOperator(server, (client) =>
      client.multi().hincrby('{service-discovery}:registry', 'version', 1).hdel(KEYS.instances, 'api/api-1').exec(),
    );
    await watcher.until('the loss', () => snapshots() > 1 && watcher.instances.size === 0);
  });

  it('is what is true after many at once', async () => {
    const all = Array.from({ length: 600 }, (_, i) => `id-${i}`);
    await Promise.all(all.map((serviceId) => register(one, { serviceId })));
    await Promise.all(
      all.map((serviceId, i) =>
        i % 2 === 0
          ? one.registrar!.deregister({ ...KEY, serviceId }, { actor, cause: 'deregistered' })
          : one.registrar!.update({ ...KEY, serviceId }, { kind: 'patch', weight: i }, { actor }),
      ),
    );
    const { instance: last } = await register(one, { serviceId: 'last' });
    await watcher.until('the last', () => watcher.get(last) !== undefined);
    const seen = [...watcher.instances.values()].map(({ serviceId, version }) => `${serviceId}@${version}`).sort();
    const truth = (await other.list()).instances.map(({ serviceId, version }) => `${serviceId}@${version}`).sort();
    expect(seen).toEqual(truth);
    expect(seen).toHaveLength(301);
  }, 60_000);

  it('keeps no more of the past than ten thousand changes or so', async () => {
    for (let batch = 0; batch < 11; batch++) {
      await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => register(one, { serviceId: `id-${batch}-${i}`, port: i + 1 })),
      );
    }
    expect(await changes()).toBeLessThan(10_200);
    expect((await other.list()).instances).toHaveLength(11_000);
    await watcher.until('all of them', () => watcher.instances.size === 11_000);
  }, 60_000);
});
