import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keyOf } from '#core';
import { backendContract, registration } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { RedisCluster } from '../../servers/redis-cluster.js';
import { redis } from '../../servers/redis.js';
import { until } from '../../support/until.js';
import { Bench, createBackend, ids, register } from './support/redis-under-test.js';

const FAILOVER_MS = 30_000;

describeOwn(redis)('a Redis Cluster', () => {
  let cluster: RedisCluster;
  let count = 0;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  }, 120_000);
  afterAll(() => cluster.stop());

  backendContract({
    name: 'redis cluster',
    replicas: true,
    open: async () => {
      const environment = { REDIS_URL: cluster.address, REGISTRY_PREFIX: `contract-${++count}` };
      return { backend: () => createBackend(environment), close: async () => undefined };
    },
  });

  describe('whose master with our keys is killed', () => {
    const bench = new Bench();

    it('goes on', async () => {
      const environment = { REDIS_URL: cluster.address, REGISTRY_PREFIX: 'failover' };
      const [one, other] = [await bench.start(environment), await bench.start(environment)];
      const watcher = await bench.watch(other);
      const key = keyOf(registration());
      await register(one);
      await watcher.until('the instance', () => watcher.get(key) !== undefined);
      const { incarnation } = await other.list();
      const master = await cluster.masterOf('{failover}:registry');
      await master.kill();
      await watcher.until('the outage', () => watcher.stale, FAILOVER_MS);
      await watcher.until('the end of it', () => !watcher.stale, FAILOVER_MS);
      // Each finds its new master by itself.
      const next = { serviceId: 'next' };
      const registers = () =>
        register(one, next).then(
          () => true,
          () => false,
        );
      await until(registers, FAILOVER_MS);
      await watcher.until('the next', () => watcher.get(registration(next)) !== undefined, FAILOVER_MS);
      expect(await ids(other)).toEqual([key.serviceId, 'next']);
      expect((await other.list()).incarnation).not.toBe(incarnation);
      await master.restart();
    }, 120_000);
  });
});
