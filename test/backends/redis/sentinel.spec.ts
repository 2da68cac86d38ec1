import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { asBackendError, keyOf, type RegistryBackend } from '#core';
import { registration, type Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { asOperator, redis } from '../../servers/redis.js';
import { RedisSentinels } from '../../servers/redis-sentinels.js';
import type { Server } from '../../servers/server.js';
import { until } from '../../support/until.js';
import { actor, Bench, ids, register } from './support/redis-under-test.js';

const KEY = keyOf(registration());
/** Until the sentinels agree and the replica is master. The machine may be busy. */
const FAILOVER_MS = 30_000;

describeOwn(redis)('Redis with sentinels', () => {
  let sentinels: RedisSentinels;
  let one: RegistryBackend;
  let other: RegistryBackend;
  let watcher: Watcher;
  const bench = new Bench();

  beforeEach(async () => {
    sentinels = await RedisSentinels.start();
    one = await bench.start({ REDIS_URL: sentinels.address });
    other = await bench.start({ REDIS_URL: sentinels.address });
    watcher = await bench.watch(other);
    await register(one);
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
  }, 120_000);
  afterEach(() => sentinels.stop());

  const serviceIds = () => [...watcher.instances.values()].map(({ serviceId }) => serviceId).sort();
  const replicaHas = (serviceId: string) =>
    asOperator(sentinels.replica, async (client) =>
      Boolean(await client.hexists('{service-discovery}:instances', `api/${serviceId}`)),
    );

  /** It cuts its connections when it becomes one. */
  const isReplica = (server: Server) =>
    asOperator(server, (client) => client.info('replication')).then(
      (info) => info.includes('role:slave'),
      () => false,
    );

  /** As its sender would repeat it. */
  async function renewed(backend: RegistryBackend): Promise<void> {
    await until(async () => {
      try {
        await backend.registrar!.renew(KEY, {}, { actor });
        return true;
      } catch (error) {
        expect(asBackendError(error).code).toMatch(/^(UNAVAILABLE|OUTCOME_UNKNOWN)$/);
        return false;
      }
    }, FAILOVER_MS);
  }

  it.each(['killed', 'frozen'] as const)(
    'follows the new master when the old one is %s',
    async (how) => {
      await until(() => replicaHas(KEY.serviceId));
      const { incarnation } = await other.list();
      await (how === 'killed' ? sentinels.master.kill() : sentinels.master.suspend());
      await watcher.until('the outage', () => watcher.stale, FAILOVER_MS);
      await watcher.until('the end of it', () => !watcher.stale, FAILOVER_MS);
      expect(serviceIds()).toEqual([KEY.serviceId]);
      expect((await other.list()).incarnation).not.toBe(incarnation);
      await Promise.all([renewed(one), renewed(other)]);
      const { instance } = await register(one, { serviceId: 'next' });
      await watcher.until('the next', () => watcher.get(instance) !== undefined);
      // It comes back as a replica, and changes nothing.
      if (how === 'killed') await sentinels.master.restart();
      else sentinels.master.resume();
      await until(() => isReplica(sentinels.master), FAILOVER_MS);
      await renewed(one);
      expect(await ids(other)).toEqual([KEY.serviceId, 'next']);
    },
    120_000,
  );

  it('shows no write any more that a failover has lost', async () => {
    await until(() => replicaHas(KEY.serviceId));
    // From now on the replica gets nothing.
    await asOperator(sentinels.replica, (client) =>
      client.config('SET', 'masteruser', 'nobody', 'masterauth', 'wrong'),
    );
    await asOperator(sentinels.master, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'replica'));
    const { instance: lost } = await register(one, { serviceId: 'lost' });
    await one.registrar!.update(KEY, { kind: 'patch', tags: ['lost'] }, { actor });
    await watcher.until('what will be lost', () => watcher.get(KEY)?.tags.length === 1);
    const { version } = watcher.get(KEY)!;
    await sentinels.master.kill();
    await watcher.until(
      'the state of before',
      () => watcher.get(KEY)?.tags.length === 0 && !watcher.stale,
      FAILOVER_MS,
    );
    expect(serviceIds()).toEqual([KEY.serviceId]);
    await renewed(one);
    await expect(one.registrar!.renew(keyOf(lost), {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // A probe that has judged the lost state is not believed.
    const late = { actor, ifVersion: version };
    await expect(one.registrar!.update(KEY, { kind: 'probe', status: 'critical' }, late)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const { instance } = await register(one, { serviceId: 'lost', port: 1 });
    expect(BigInt(instance.version)).toBeGreaterThan(BigInt(version));
    await watcher.until('its return', () => watcher.get(lost)?.port === 1);
  }, 120_000);
});
