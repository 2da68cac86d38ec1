import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { keyOf, keyText, type RegistryBackend } from '#core';
import { registration, type Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { DURABLE, asOperator, redis, startRedis } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { actor, Bench, ids, register } from './support/redis-under-test.js';

const TTL = 2_000;
const KEY = keyOf(registration());

describeOwn(redis)('leases in Redis', () => {
  let server: Server;
  let backend: RegistryBackend;
  let watcher: Watcher;
  const bench = new Bench();

  beforeEach(async () => {
    server = await startRedis(DURABLE);
    backend = await bench.start({ REDIS_URL: server.address });
    watcher = await bench.watch(backend);
  }, 60_000);
  // Not before the backends have gone.
  afterEach(() => server.stop());

  const gone = (withinMs: number) => watcher.until('the end', () => watcher.get(KEY) === undefined, withinMs);
  const causes = () => watcher.removals(KEY).map(({ cause }) => cause);

  it('are ended by any replica, when the one that took the registration has gone', async () => {
    const another = await bench.start({ REDIS_URL: server.address });
    await register(another, { ttl: TTL });
    await another.stop();
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    await gone(TTL + 2_000);
    expect(causes()).toEqual(['expired']);
  }, 30_000);

  it('are ended once, whoever looks', async () => {
    await Promise.all([1, 2, 3].map(() => bench.start({ REDIS_URL: server.address })));
    await register(backend, { ttl: TTL });
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    await gone(TTL + 2_000);
    await register(backend, { serviceId: 'last' });
    await watcher.until('the last', () => watcher.get({ ...KEY, serviceId: 'last' }) !== undefined);
    expect(causes()).toEqual(['expired']);
  }, 30_000);

  it('go on where they stood when Redis was killed for longer than they last', async () => {
    await register(backend, { ttl: TTL });
    await server.kill();
    await watcher.until('the outage', () => watcher.stale);
    await sleep(2 * TTL);
    await server.restart();
    await watcher.until('the end of it', () => !watcher.stale);
    expect(await ids(backend)).toEqual([KEY.serviceId]);
    await backend.registrar!.renew(KEY, {}, { actor });
    await gone(TTL + 2_000);
    expect(causes()).toEqual(['expired']);
  }, 60_000);

  it('go on where they stood when Redis was frozen', async () => {
    await register(backend, { ttl: TTL });
    await server.suspend();
    await sleep(2 * TTL);
    server.resume();
    await watcher.until('the end of it', () => !watcher.stale);
    expect(await ids(backend)).toEqual([KEY.serviceId]);
    await gone(TTL + 2_000);
  }, 60_000);

  it('go on where they stood when no replica was there', async () => {
    await register(backend, { ttl: TTL });
    await backend.stop();
    await sleep(2.5 * TTL);
    const late = await bench.start({ REDIS_URL: server.address });
    expect(await ids(late)).toEqual([KEY.serviceId]);
    await late.registrar!.renew(KEY, {}, { actor });
  }, 60_000);

  it('of hundreds end together', async () => {
    await Promise.all(Array.from({ length: 350 }, (_, i) => register(backend, { serviceId: `id-${i}`, ttl: TTL })));
    await watcher.until('all', () => watcher.instances.size === 350);
    await watcher.until('their end', () => watcher.instances.size === 0, TTL + 2_000);
  }, 30_000);

  it('of thousands tell their cause, though others register meanwhile', async () => {
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => register(backend, { serviceId: `id-${i}`, ttl: TTL })));
    await watcher.until('the first end', () => watcher.events.some(({ kind }) => kind === 'remove'), TTL + 5_000);
    for (let i = 0; i < 200; i++) await register(backend, { serviceId: `new-${i}` });
    await watcher.until('the last end', () => watcher.instances.size === 200);
    const ended = watcher.events.filter((event) => event.kind === 'remove' && event.cause === 'expired');
    expect(ended).toHaveLength(3_000);
    expect(watcher.events.filter(({ kind }) => kind === 'snapshot')).toHaveLength(1);
  }, 30_000);

  it('of what somebody else has removed tell that it has gone', async () => {
    await register(backend, { ttl: TTL });
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    await asOperator(server, (client) => client.hdel('{service-discovery}:instances', keyText(KEY)));
    await expect(backend.registrar!.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await gone(TTL + 2_000);
    expect(causes()).toEqual(['unknown']);
  }, 30_000);
});
