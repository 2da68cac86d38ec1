import { beforeEach, describe, expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { registration, Watcher } from '#core/testing';
import { etcd } from '../../servers/etcd.js';
import { shared } from '../../servers/kind.js';
import { Etcdctl } from './etcdctl.js';
import { newPrefix, startedBackends } from './fixture.js';

const actor = 'tests';
const KEY = keyOf(registration());

const etcdctl = new Etcdctl(shared(etcd));
const start = startedBackends();
let prefix: string;
let backend: RegistryBackend;

beforeEach(async () => {
  prefix = newPrefix();
  backend = await start({ ETCD_HOSTS: shared(etcd), REGISTRY_PREFIX: prefix });
});

const pathOf = (id: string) => `${prefix}instances/${KEY.serviceName}/${id}`;
const register = (over: Parameters<typeof registration>[0] = {}) =>
  backend.registrar!.register(registration(over), { actor });

describe('an instance in etcd', () => {
  it('is a JSON value, with a lease if it lives by heartbeats', async () => {
    await register({ serviceId: 'alive', tags: ['blue'] });
    await register({ serviceId: 'lasting', ttl: undefined });
    const [alive, lasting] = await Promise.all(['alive', 'lasting'].map((id) => etcdctl.get(pathOf(id))));
    expect(JSON.parse(alive!.value)).toMatchObject({
      ...{ v: 1, serviceName: 'api', serviceId: 'alive', address: '10.0.0.1', port: 8080, tags: ['blue'] },
      changed: { cause: 'registered', actor },
    });
    expect([alive!.lease === '0', lasting!.lease === '0']).toEqual([false, true]);
  });

  it('leaves why and by whom it was removed, under one key for all', async () => {
    await register();
    await backend.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    expect(await etcdctl.get(pathOf(KEY.serviceId))).toBeUndefined();
    const { value } = (await etcdctl.get(`${prefix}instances/@removal`))!;
    expect(JSON.parse(value)).toEqual({ v: 1, removals: [{ key: 'api/api-1', cause: 'deregistered', actor }] });
  });

  it('keeps what a newer release has written beside ours, whatever is written', async () => {
    await register();
    const path = pathOf(KEY.serviceId);
    const { value, lease } = (await etcdctl.get(path))!;
    const extra = { canary: { share: 0.5 } };
    await etcdctl.put(path, JSON.stringify({ ...JSON.parse(value), tags: ['theirs'], ...extra }), lease);
    const { registrar } = backend;
    const options = { actor };
    await registrar!.update(KEY, { kind: 'patch', weight: 3 }, options);
    await registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, options);
    await registrar!.renew(KEY, { status: 'warning', metadata: { added: '1' } }, options);
    const stored = (await etcdctl.get(path))!;
    expect(JSON.parse(stored.value)).toMatchObject({ ...extra, tags: ['theirs'], weight: 3, reported: 'warning' });
    expect(stored.lease).toBe(lease);
    await register({ tags: ['ours'] });
    expect(JSON.parse((await etcdctl.get(path))!.value)).toMatchObject({ ...extra, tags: ['ours'] });
  });
});

describe('by hand', () => {
  let watcher: Watcher;
  beforeEach(async () => {
    for (const serviceId of ['one', 'two', 'three']) await register({ serviceId });
    watcher = new Watcher(backend);
    await watcher.until('all', () => watcher.instances.size === 3);
  });

  it('a lease that is revoked takes its instance with it', async () => {
    await etcdctl.revoke((await etcdctl.get(pathOf('two')))!.lease);
    await watcher.until('the end of two', () => watcher.instances.size === 2);
    expect(watcher.removals({ ...KEY, serviceId: 'two' })).toMatchObject([{ cause: 'expired' }]);
  });

  it('what is deleted has gone, nobody knows why, in whatever number', async () => {
    await etcdctl.deleteAll(`${prefix}instances/`);
    await watcher.until('the end', () => watcher.instances.size === 0);
    for (const serviceId of ['one', 'two', 'three'])
      expect(watcher.removals({ ...KEY, serviceId })).toMatchObject([{ cause: 'unknown' }]);
  });

  it('an instance that is written without a lease ends all the same, and gets one with its heartbeat', async () => {
    const record = JSON.parse((await etcdctl.get(pathOf('one')))!.value) as object;
    for (const serviceId of ['four', 'five'])
      await etcdctl.put(pathOf(serviceId), JSON.stringify({ ...record, serviceId, ttl: 2_000 }));
    await watcher.until('both', () => watcher.instances.size === 5);
    await backend.registrar!.renew({ ...KEY, serviceId: 'five' }, {}, { actor });
    expect((await etcdctl.get(pathOf('five')))!.lease).not.toBe('0');
    await watcher.until('the end of four', () => watcher.removals({ ...KEY, serviceId: 'four' }).length === 1);
    expect(watcher.removals({ ...KEY, serviceId: 'four' })).toMatchObject([{ cause: 'expired' }]);
  });
});

it('two registries on one etcd are kept apart, though one prefix begins like the other', async () => {
  const other = await start({ ETCD_HOSTS: shared(etcd), REGISTRY_PREFIX: `${prefix.slice(0, -1)}2` });
  const inside = await start({ ETCD_HOSTS: shared(etcd), REGISTRY_PREFIX: `${prefix}eu` });
  await register();
  const lists = await Promise.all([backend, other, inside].map((each) => each.list()));
  expect(lists.map(({ instances }) => instances.length)).toEqual([1, 0, 0]);
});
