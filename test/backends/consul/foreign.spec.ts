import { expect, it } from '@jest/globals';
import { statusOf, weightOf } from '#core';
import { registration } from '#core/testing';
import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { until } from '../../support/until.js';
import { actor, Stage } from './support/consul-under-test.js';

const stage = new Stage();
const KEY = { serviceName: 'web', serviceId: 'web-1' };

/** As `consul services register` does. */
function registerWithAgent(over: object = {}): Promise<unknown> {
  const check = { CheckID: 'web-1-ttl', TTL: '600s', Status: 'passing' };
  return stage.operate('PUT', 'agent/service/register', {
    ...{ Name: 'web', ID: 'web-1', Address: '10.0.0.9', Port: 80, Check: check, ...over },
  });
}

/** On a node of somebody's. */
function registerInCatalog(node: string, service: object, checks: object[] = []): Promise<unknown> {
  return stage.operate('PUT', 'catalog/register', {
    Node: node,
    Address: '10.9.9.9',
    Service: service,
    Checks: checks,
  });
}

async function watching() {
  const backend = await stage.backend();
  return { backend, watcher: await stage.watch(backend) };
}

describeOwn(consul)("what was registered with Consul's own tools", () => {
  it('is there with its status, tags, metadata and weight', async () => {
    const { backend, watcher } = await watching();
    await registerWithAgent({
      Tags: ['a', 'b'],
      Meta: { version: '2', zone: 'z1' },
      Weights: { Passing: 10, Warning: 3 },
    });
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    const found = watcher.get(KEY)!;
    expect(found).toMatchObject({
      address: '10.0.0.9',
      port: 80,
      tags: ['a', 'b'],
      metadata: { version: '2', zone: 'z1' },
    });
    expect([statusOf(found), weightOf(found)]).toEqual(['passing', 10]);
    expect(found).not.toHaveProperty('ttl');
    const { instances } = await backend.list();
    expect(instances).toEqual([found]);
  });

  it('follows its checks', async () => {
    const { watcher } = await watching();
    await registerWithAgent({ Weights: { Passing: 10, Warning: 3 } });
    const status = () => watcher.get(KEY) && statusOf(watcher.get(KEY)!);
    await watcher.until('passing', () => status() === 'passing');
    await stage.operate('PUT', 'agent/check/warn/web-1-ttl');
    await watcher.until('a warning', () => status() === 'warning');
    expect(watcher.get(KEY)).toMatchObject({ weight: 3, changed: { cause: 'status', actor: 'consul' } });
    await stage.operate('PUT', 'agent/check/fail/web-1-ttl');
    await watcher.until('critical', () => status() === 'critical');
    await stage.operate('PUT', 'agent/service/maintenance/web-1?enable=true&reason=disk');
    await watcher.until('maintenance', () => status() === 'maintenance');
    expect(watcher.get(KEY)).toMatchObject({ maintenance: { reason: 'disk' }, changed: { cause: 'maintenance' } });
    await stage.operate('PUT', 'agent/service/maintenance/web-1?enable=false');
    await stage.operate('PUT', 'agent/check/pass/web-1-ttl');
    await watcher.until('passing again', () => status() === 'passing');
  });

  it('changes and goes, also without any check', async () => {
    const { watcher } = await watching();
    await registerInCatalog('host-1', { ID: 'web-1', Service: 'web', Port: 80 });
    await registerInCatalog('host-1', { ID: 'web-2', Service: 'web', Port: 80 });
    await watcher.until('both', () => watcher.instances.size === 2);
    expect(watcher.get(KEY)).toMatchObject({ address: '10.9.9.9' });
    await registerInCatalog('host-1', { ID: 'web-1', Service: 'web', Port: 81 });
    await watcher.until('the change', () => watcher.get(KEY)?.port === 81);
    await stage.operate('PUT', 'catalog/deregister', { Node: 'host-1', ServiceID: 'web-1' });
    await watcher.until('the removal', () => watcher.get(KEY) === undefined);
    expect(watcher.removals(KEY)).toMatchObject([{ cause: 'unknown' }]);
    await stage.operate('PUT', 'catalog/deregister', { Node: 'host-1' });
    await watcher.until('the last', () => watcher.instances.size === 0);
  });

  it('fails with its node', async () => {
    const { watcher } = await watching();
    await registerInCatalog('host-1', { ID: 'web-1', Service: 'web', Port: 80 });
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    const check = { CheckID: 'host', Name: 'host', Status: 'critical' };
    await stage.operate('PUT', 'catalog/register', { Node: 'host-1', Address: '10.9.9.9', Check: check });
    await watcher.until('critical', () => statusOf(watcher.get(KEY)!) === 'critical');
  });

  it('is told apart by its node where its id is not its own', async () => {
    const { backend, watcher } = await watching();
    await registerInCatalog('host-1', { ID: 'web', Service: 'web', Port: 80 });
    await watcher.until('the first', () => watcher.get({ ...KEY, serviceId: 'web' }) !== undefined);
    await registerInCatalog('host-2', { ID: 'web', Service: 'web', Port: 80 });
    const ids = () => [...watcher.instances.values()].map(({ serviceId }) => serviceId).sort();
    await watcher.until('both', () => ids().length === 2 && !ids().includes('web'));
    expect(ids()).toEqual(['web@host-1', 'web@host-2']);
    await stage.operate('PUT', 'catalog/deregister', { Node: 'host-2', ServiceID: 'web' });
    await watcher.until('one', () => ids().length === 1);
    expect(ids()).toEqual(['web']);
    await registerWithAgent();
    await watcher.until('the other', () => watcher.get(KEY) !== undefined);
    expect((await backend.list()).instances).toHaveLength(2);
  });

  it('keeps a version and a name while nothing changes, for the list and the watch alike', async () => {
    const { backend, watcher } = await watching();
    await registerWithAgent();
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    await registerInCatalog('host-1', { ID: 'other', Service: 'other', Port: 80 });
    await watcher.until('another', () => watcher.instances.size === 2);
    const listed = (await backend.list()).instances.find(({ serviceId }) => serviceId === 'web-1');
    expect(listed).toBe(watcher.get(KEY));
  });

  it('is read-only, and says where it can be changed', async () => {
    const { backend, watcher } = await watching();
    await registerWithAgent();
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    const { registrar } = backend;
    const refused = { code: 'CONFLICT', message: expect.stringContaining('on node agent-1') };
    await expect(registrar!.register(registration(KEY), { actor })).rejects.toMatchObject(refused);
    await expect(registrar!.renew(KEY, {}, { actor })).rejects.toMatchObject(refused);
    await expect(registrar!.update(KEY, { kind: 'patch', tags: [] }, { actor })).rejects.toMatchObject(refused);
    await expect(registrar!.deregister(KEY, { actor, cause: 'deregistered' })).rejects.toMatchObject(refused);
    expect(watcher.get(KEY)).toMatchObject({ address: '10.0.0.9' });
  });

  it('stands beside what is registered here, in one service', async () => {
    const { backend, watcher } = await watching();
    await registerWithAgent();
    await backend.registrar!.register(registration({ ...KEY, serviceId: 'ours' }), { actor });
    await watcher.until('both', () => watcher.instances.size === 2);
    await backend.registrar!.deregister({ ...KEY, serviceId: 'ours' }, { actor, cause: 'deregistered' });
    await watcher.until('one', () => watcher.instances.size === 1);
  });

  it('has whatever names Consul lets it have', async () => {
    const { backend } = await watching();
    await registerInCatalog('host-1', { ID: 'a/b', Service: 'Mixed.Case', Port: 1 });
    await registerInCatalog('host-1', { ID: 'nameless', Service: 'not a name', Port: 2 });
    await until(async () => (await backend.list()).instances.length === 1);
    expect((await backend.list()).instances).toMatchObject([{ serviceName: 'mixed.case', serviceId: 'a%2Fb' }]);
  });

  it("is not Consul's own servers", async () => {
    const { backend } = await watching();
    expect(await stage.operate('GET', 'catalog/service/consul')).toHaveLength(1);
    expect((await backend.list()).instances).toEqual([]);
  });
});
