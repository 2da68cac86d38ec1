import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BACKENDS } from '#backends';
import { keyOf } from '#core';
import { registration, useConfigStore, Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { Etcd, etcd } from '../../servers/etcd.js';
import { Authority, type KeyPair } from '../../support/certificates.js';
import { Etcdctl } from './etcdctl.js';
import { startedBackends } from './fixture.js';

const TEST_MS = 60_000;
const actor = 'tests';
const KEY = keyOf(registration());
const ROOT = { name: 'root', password: 'root-password' };
const USER = { ETCD_USER: 'service-discovery', ETCD_PASSWORD: 'correct horse' };

const start = startedBackends();

describeOwn(etcd)('an etcd with users', () => {
  let server: Etcd;
  let etcdctl: Etcdctl;
  let hosts: { ETCD_HOSTS: string };

  beforeAll(async () => {
    server = await Etcd.start();
    etcdctl = new Etcdctl(server.server.address);
    hosts = { ETCD_HOSTS: server.server.address };
    await etcdctl.addRole('service-discovery', 'READWRITE', '/services/');
    await etcdctl.addRole('reader', 'READ', '/services/');
    await etcdctl.addUser(USER.ETCD_USER, USER.ETCD_PASSWORD, ['service-discovery']);
    await etcdctl.addUser('reader', 'reads', ['reader']);
    await etcdctl.addUser(ROOT.name, ROOT.password, ['root']);
    await etcdctl.enableAuthentication(ROOT);
  }, TEST_MS);
  afterAll(() => server.server.stop());

  it('needs no more rights than those of the prefix', async () => {
    const backend = await start({ ...hosts, ...USER });
    const watcher = new Watcher(backend);
    const registrar = backend.registrar!;
    await registrar.register(registration(), { actor });
    await registrar.renew(KEY, {}, { actor });
    await registrar.update(KEY, { kind: 'patch', tags: ['changed'] }, { actor });
    await watcher.until('the change', () => watcher.get(KEY)?.tags[0] === 'changed');
    await registrar.deregister(KEY, { actor, cause: 'deregistered' });
    await watcher.until('the removal', () => watcher.removals(KEY).length === 1);
    expect((await backend.list()).instances).toEqual([]);
    await useConfigStore(backend);
  });

  it('takes back the token of a user who gets another password, and gives a new one', async () => {
    const backend = await start({ ...hosts, ...USER });
    const watcher = new Watcher(backend);
    for (const serviceId of ['before', 'after']) {
      await backend.registrar!.register(registration({ serviceId }), { actor });
      await watcher.until(serviceId, () => watcher.get({ ...KEY, serviceId }) !== undefined);
      await etcdctl.changePassword(USER.ETCD_USER, USER.ETCD_PASSWORD);
    }
    expect((await backend.list()).instances).toHaveLength(2);
  });

  it('may start again and have forgotten its tokens', async () => {
    const backend = await start({ ...hosts, ...USER });
    const watcher = new Watcher(backend);
    await server.server.restart();
    await watcher.until('that it is back', () => watcher.events.some(({ kind }) => kind === 'live') && !watcher.stale);
    await backend.registrar!.register(registration({ serviceId: 'again' }), { actor });
    await etcdctl.authenticate(ROOT);
  }, 30_000);

  it.each([
    ['a wrong password', { ...USER, ETCD_PASSWORD: 'wrong' }, /authentication failed, invalid user ID or password$/],
    ['an unknown user', { ETCD_USER: 'nobody', ETCD_PASSWORD: 'x' }, /authentication failed/],
    ['nobody', {}, /user name is empty$/],
    ['a role that only reads', { ETCD_USER: 'reader', ETCD_PASSWORD: 'reads' }, /permission denied$/],
    ['a role for another prefix', { ...USER, REGISTRY_PREFIX: '/elsewhere/' }, /permission denied$/],
  ])('%s stops the start, in one line', async (_, variables: Record<string, string>, words) => {
    const said = await refusal({ ...hosts, ...variables });
    expect(said).toMatch(words);
    expect(said).toMatch(/^etcd at http:\/\/127\.0\.0\.1:\d+: [^\n]+$/);
  });
});

describeOwn(etcd)('TLS', () => {
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let ours: KeyPair;
  let server: Etcd | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-discovery-'));
    authority = await Authority.in(folder, 'authority');
    stranger = await Authority.in(folder, 'stranger');
    ours = await authority.sign('client');
  }, TEST_MS);
  afterAll(() => rm(folder, { recursive: true }));
  afterEach(async () => {
    await server?.server.stop();
    server = undefined;
  });

  async function startServer(...args: string[]): Promise<string> {
    const { cert, key } = await authority.sign('server');
    server = await Etcd.start({ scheme: 'https', args: [`--cert-file=${cert}`, `--key-file=${key}`, ...args] });
    return server.server.address;
  }
  const wantsCertificate = () => ['--client-cert-auth', `--trusted-ca-file=${authority.cert}`];

  it(
    'is spoken with members of a known authority, and of no other',
    async () => {
      const address = await startServer();
      const backend = await start({ ETCD_HOSTS: address, ETCD_TLS_CA: authority.cert });
      await backend.registrar!.register(registration(), { actor });
      expect(await refusal({ ETCD_HOSTS: address, ETCD_TLS_CA: stranger.cert })).toMatch(/^[^\n]*certificate[^\n]*$/);
      expect(await refusal({ ETCD_HOSTS: address })).toMatch(/^[^\n]*certificate[^\n]*$/);
    },
    TEST_MS,
  );

  it(
    'shows a certificate of ours where members ask for one',
    async () => {
      const address = await startServer(...wantsCertificate());
      const known = { ETCD_HOSTS: address, ETCD_TLS_CA: authority.cert };
      const backend = await start({ ...known, ETCD_TLS_CERT: ours.cert, ETCD_TLS_KEY: ours.key });
      await backend.registrar!.register(registration(), { actor });
      expect(await refusal(known)).toMatch(/^[^\n]*certificate[^\n]*$/);
    },
    TEST_MS,
  );

  it('says which file cannot be read', async () => {
    const none = join(folder, 'none.crt');
    const said = await refusal({ ETCD_HOSTS: 'https://127.0.0.1', ETCD_TLS_CA: none });
    expect(said).toMatch(`ETCD_TLS_CA=${none} cannot be read: ENOENT`);
  });
});

describe('settings', () => {
  const { options } = BACKENDS.find(({ type }) => type === 'etcd')!;

  it.each([
    [{ ETCD_HOSTS: '' }, /must be members of one cluster/],
    [{ ETCD_HOSTS: 'http://a,https://b' }, /all http or all https/],
    [{ ETCD_HOSTS: 'ftp://a' }, /must be members of one cluster/],
    [{ ETCD_HOSTS: 'http://user@a/path' }, /must be members of one cluster/],
    [{ ETCD_USER: 'me' }, /goes with ETCD_USER/],
    [{ ETCD_PASSWORD: 'mine' }, /goes with ETCD_PASSWORD/],
    [{ ETCD_HOSTS: 'https://a', ETCD_TLS_KEY: 'key.pem' }, /goes with ETCD_TLS_KEY/],
    [{ ETCD_TLS_CA: 'ca.pem' }, /does not say https/],
    [{ REGISTRY_PREFIX: 'services' }, /must be a path/],
  ])('%j is refused', (given, words) => {
    expect(() => options.parse(given)).toThrow(words);
  });
});

async function refusal(variables: Record<string, string>): Promise<string> {
  try {
    await start(variables);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it has started');
}
