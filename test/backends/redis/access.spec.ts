import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { keyOf, silentLogger } from '#core';
import { registration, useConfigStore } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { FORGETFUL, asOperator, portOf, redis, startRedis, startRedisWithTls } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { Authority, type KeyPair } from '../../support/certificates.js';
import { until } from '../../support/until.js';
import { actor, Bench, createBackend, ids, register, type Environment } from './support/redis-under-test.js';

const KEY = keyOf(registration());
const ACL = join(import.meta.dirname, '../../../docs/backends/redis.acl');

const bench = new Bench();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-discovery-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function refused(environment: Environment): Promise<string> {
  const backend = await createBackend(environment);
  try {
    await backend.start();
  } catch (error) {
    return (error as Error).message;
  } finally {
    await backend.stop();
  }
  throw new Error('it has started');
}

describeOwn(redis)('a user with the rights of redis.acl', () => {
  let server: Server;
  let rights: string;

  beforeAll(async () => {
    rights = await readFile(ACL, 'utf8');
    const file = join(folder, 'users.acl');
    await writeFile(file, rights);
    server = await startRedis({ ...FORGETFUL, aclfile: file });
  }, 60_000);
  afterAll(() => server.stop());

  const environment = () => ({
    REDIS_URL: server.address,
    REDIS_USER: 'service-discovery',
    REDIS_PASSWORD: 'CHANGE-ME',
  });

  it('can do all that there is to do, and has no right that this does not need', async () => {
    const backend = await bench.start(environment());
    const watcher = await bench.watch(backend);
    const { registrar } = backend;
    await asOperator(server, (client) => client.config('RESETSTAT'));
    const again = await bench.start(environment());
    await register(backend);
    await registrar!.renew(KEY, { loadPercentage: 0.5, status: 'warning' }, { actor });
    await registrar!.update(KEY, { kind: 'patch', weight: 1 }, { actor });
    await registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    await watcher.until('the removal', () => watcher.removals(KEY).length > 0);
    await register(backend, { ttl: 1_000 });
    await watcher.until('the expiry', () => watcher.removals(KEY).length > 1);
    expect(await ids(again)).toEqual([]);
    await useConfigStore(backend);
    const stats = await asOperator(server, async (client) => {
      await client.flushall();
      await again.list();
      return client.info('commandstats');
    });
    for (const [, right = ''] of rights.matchAll(/\+(\S+)/g)) expect(stats).toContain(`cmdstat_${right}:`);
  }, 30_000);

  it('gets no further with another prefix', async () => {
    expect(await refused({ ...environment(), REGISTRY_PREFIX: 'other' })).toMatch(/NOPERM/);
  });

  it.each([
    ['a wrong password', { REDIS_PASSWORD: 'wrong' }, /^Redis at 127.0.0.1:\d+: WRONGPASS /],
    ['another user', { REDIS_USER: 'nobody' }, /^Redis at 127.0.0.1:\d+: WRONGPASS /],
  ])('does not start with %s, and says so in one line', async (_, wrong, message) => {
    const said = await refused({ ...environment(), ...wrong });
    expect(said).toMatch(message);
    expect(said).not.toMatch(/\n|CHANGE-ME/);
  });

  it('may be in the URL', async () => {
    const url = new URL(server.address);
    const backend = await bench.start({ REDIS_URL: `redis://service-discovery:CHANGE-ME@${url.host}` });
    await register(backend);
    expect(await ids(backend)).toEqual([KEY.serviceId]);
  });
});

describeOwn(redis)('a Redis that wants a password', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startRedis({ ...FORGETFUL, requirepass: 'correct horse' });
  }, 60_000);
  afterAll(() => server.stop());

  it('is not started without, and says so in one line', async () => {
    expect(await refused({ REDIS_URL: server.address })).toMatch(/^Redis at 127.0.0.1:\d+: NOAUTH [^\n]+$/);
  });

  it('is with it', async () => {
    await bench.start({ REDIS_URL: `redis://:correct%20horse@127.0.0.1:${portOf(server)}/3` });
  });

  it.each([
    ['a database that there is not', 'redis:', '/99', /^Redis at 127.0.0.1:\d+: ERR DB index is out of range$/],
    ['a cluster that is none', 'redis+cluster:', '', /^the Redis cluster at 127.0.0.1:\d+: ERR [^\n]* disabled$/],
  ])('is not started for %s', async (_, scheme, path, message) => {
    const url = `${scheme}//:correct%20horse@127.0.0.1:${portOf(server)}${path}`;
    expect(await refused({ REDIS_URL: url })).toMatch(message);
  });
});

describeOwn(redis)('TLS', () => {
  let authority: Authority;
  let other: Authority;
  let ours: KeyPair;
  let server: Server | undefined;

  beforeAll(async () => {
    authority = await Authority.in(folder, 'authority');
    other = await Authority.in(folder, 'other');
    ours = await authority.sign('client');
  }, 60_000);
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  async function startServer(authClients: 'yes' | 'no', pair?: KeyPair): Promise<Server> {
    const { cert, key } = pair ?? (await authority.sign('server'));
    const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': authority.cert };
    return (server = await startRedisWithTls({ ...FORGETFUL, ...files, 'tls-auth-clients': authClients }));
  }

  it('is spoken with a Redis of a known authority', async () => {
    const { address } = await startServer('no');
    const backend = await bench.start({ REDIS_URL: address, REDIS_TLS_CA: authority.cert });
    await register(backend);
    expect(await ids(backend)).toEqual([KEY.serviceId]);
    await backend.stop();
  }, 60_000);

  it('is not spoken with one of another authority: the start says so in one line', async () => {
    const { address } = await startServer('no');
    const wrong = { REDIS_URL: address, REDIS_TLS_CA: other.cert };
    expect(await refused(wrong)).toMatch(/^Redis at 127.0.0.1:\d+: [^\n]*(certificate|UNABLE_TO)[^\n]*$/);
  }, 60_000);

  it('is not spoken with one whose certificate nobody but itself has signed', async () => {
    const { address } = await startServer('no', authority.own);
    const wrong = { REDIS_URL: address, REDIS_TLS_CA: other.cert };
    expect(await refused(wrong)).toMatch(/^Redis at 127.0.0.1:\d+: self-signed certificate [^\n]*$/);
  }, 60_000);

  it('shows a certificate of ours where Redis asks for one', async () => {
    const { address } = await startServer('yes');
    const environment = { REDIS_URL: address, REDIS_TLS_CA: authority.cert };
    const backend = await bench.start({ ...environment, REDIS_TLS_CERT: ours.cert, REDIS_TLS_KEY: ours.key });
    await register(backend);
    await backend.stop();
  }, 60_000);

  it('says so where it has none to show', async () => {
    const { address } = await startServer('yes');
    const said: string[] = [];
    const warn = (fields: object) => said.push((fields as { reason: string }).reason);
    const logger = { ...silentLogger, warn };
    const backend = await createBackend({ REDIS_URL: address, REDIS_TLS_CA: authority.cert }, { logger });
    try {
      // The alert and the reset of the connection race each other; only the alert stops the start.
      await backend.start().catch((error: unknown) => said.push((error as Error).message));
      await until(() => said.length > 0);
      expect(said[0]).toMatch(/^[^\n]*(certificate required|ECONNRESET|EPIPE)[^\n]*$/);
    } finally {
      await backend.stop();
    }
  }, 60_000);

  it('says which file cannot be read', async () => {
    const none = join(folder, 'none.crt');
    await expect(createBackend({ REDIS_URL: 'rediss://127.0.0.1', REDIS_TLS_CA: none })).rejects.toThrow(
      `REDIS_TLS_CA=${none} cannot be read: ENOENT`,
    );
  });
});

describeOwn(redis)('two registries in one Redis', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startRedis(FORGETFUL);
  }, 60_000);
  afterAll(() => server.stop());

  it('are kept apart by their prefixes, one of which begins like the other', async () => {
    const [one, other] = await Promise.all(
      ['shop', 'shop:2'].map((REGISTRY_PREFIX) => bench.start({ REDIS_URL: server.address, REGISTRY_PREFIX })),
    );
    const watcher = await bench.watch(other!);
    await register(one!);
    await register(other!, { serviceId: 'theirs' });
    await watcher.until('their own', () => watcher.instances.size > 0);
    await one!.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    expect(await ids(one!)).toEqual([]);
    expect(await ids(other!)).toEqual(['theirs']);
    expect(watcher.events).toHaveLength(2);
    const keys = await asOperator(server, (client) => client.keys('*'));
    expect(keys.every((key) => /^\{shop(:2)?\}:[a-z-]+$/.test(key))).toBe(true);
  });
});
