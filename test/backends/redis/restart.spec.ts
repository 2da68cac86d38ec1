import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { registration, type Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { DURABLE, FORGETFUL, redis, startRedis } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { Bench, ids, register } from './support/redis-under-test.js';

const KEY = keyOf(registration());

describeOwn(redis).each([
  ['that keeps everything', DURABLE],
  ['that keeps nothing', FORGETFUL],
])('a Redis %s', (_, config) => {
  let server: Server;
  let backend: RegistryBackend;
  let watcher: Watcher;
  const bench = new Bench();

  beforeEach(async () => {
    server = await startRedis(config);
    backend = await bench.start({ REDIS_URL: server.address });
    watcher = await bench.watch(backend);
    await register(backend);
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
  }, 60_000);
  afterEach(() => server.stop());

  const kept = config === DURABLE ? [KEY.serviceId] : [];

  it('is killed and started again: another epoch, and what it has kept', async () => {
    const { incarnation, asOf } = await backend.list();
    await server.restart();
    const back = () => !watcher.stale && watcher.events.filter(({ kind }) => kind === 'snapshot').length > 1;
    await watcher.until('the end of it', back, 20_000);
    expect([...watcher.instances.values()].map(({ serviceId }) => serviceId)).toEqual(kept);
    expect(await ids(backend)).toEqual(kept);
    expect((await backend.list()).incarnation).not.toBe(incarnation);
    const { instance } = await register(backend, { serviceId: 'next' });
    expect(BigInt(instance.version)).toBeGreaterThan(BigInt(asOf));
    await watcher.until('the next', () => watcher.get(instance) !== undefined);
  }, 60_000);

  it('is killed again and again: what is acknowledged and what is told end up the same', async () => {
    let acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 200 }, (_unused, i) => `${round}-${i}`).map(async (serviceId) => {
        await register(backend, { serviceId });
        return serviceId;
      });
      const ended = Promise.allSettled(writes);
      await writes[50];
      await server.kill();
      const settled = await ended;
      await watcher.until('the outage', () => watcher.stale);
      for (const each of settled) {
        if (each.status === 'rejected')
          expect(each.reason).toMatchObject({ code: expect.stringMatching(/^(UNAVAILABLE|OUTCOME_UNKNOWN)$/) });
      }
      acknowledged.push(...settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
      await server.restart();
      if (config === FORGETFUL) acknowledged = [];
      await watcher.until('the end of it', () => !watcher.stale, 20_000);
    }
    const truth = await ids(backend);
    expect(truth).toEqual(expect.arrayContaining(acknowledged));
    await watcher.until('the truth', () => watcher.instances.size === truth.length);
    expect([...watcher.instances.values()].map(({ serviceId }) => serviceId).sort()).toEqual(truth);
  }, 120_000);
});
