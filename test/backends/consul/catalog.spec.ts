import { Resolver } from 'node:dns/promises';
import { expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { HOSTILE, registration } from '#core/testing';
import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { until } from '../../support/until.js';
import { actor, Stage } from './support/consul-under-test.js';

const stage = new Stage();

interface Shown {
  readonly Node: any;
  readonly Service: any;
  readonly Checks: readonly any[];
}

/** As Consul's own API has the service. */
async function shown(service: string): Promise<Shown[]> {
  return (await stage.operate('GET', `health/service/${service}`)) as Shown[];
}

function register(backend: RegistryBackend, over: Parameters<typeof registration>[0] = {}) {
  return backend.registrar!.register(registration({ serviceName: 'web', serviceId: 'web-1', ...over }), { actor });
}

const KEY = { serviceName: 'web', serviceId: 'web-1' };

describeOwn(consul)('what is registered here', () => {
  it('is a service of the catalog, on a node that no agent speaks for', async () => {
    const backend = await stage.backend();
    await register(backend, { tags: ['api'], metadata: { version: '1', 'not for consul': 'x' }, weight: 7 });
    const [entry] = await shown('web');
    expect(entry).toMatchObject({
      Node: { Node: expect.stringMatching(/^service-discovery-\d\d$/), Meta: { 'external-node': 'true' } },
      Service: {
        ID: 'web:web-1',
        Address: '10.0.0.1',
        Port: 8080,
        Tags: ['api'],
        Meta: { version: '1', 'service-discovery-id': 'web-1' },
        Weights: { Passing: 7, Warning: 7 },
      },
      Checks: [{ Status: 'passing', Output: 'heartbeats: passing' }],
    });
    expect(entry!.Service.Meta).not.toHaveProperty('not for consul');
  });

  it('shows its status, and maintenance as Consul does', async () => {
    const backend = await stage.backend();
    await register(backend);
    const checks = async () =>
      (await shown('web'))[0]!.Checks.map(({ CheckID, Status, Notes }) => ({ CheckID, Status, Notes }));
    const health = (Status: string) => ({ CheckID: 'service:web:web-1', Status, Notes: '' });
    await backend.registrar!.update(KEY, { kind: 'probe', status: 'critical' }, { actor });
    expect(await checks()).toEqual([health('critical')]);
    await backend.registrar!.update(KEY, { kind: 'probe', status: 'warning' }, { actor });
    await backend.registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
    expect(await checks()).toEqual([
      { CheckID: '_service_maintenance:web:web-1', Status: 'critical', Notes: 'disk' },
      health('warning'),
    ]);
    await backend.registrar!.update(KEY, { kind: 'maintenance' }, { actor });
    expect(await checks()).toEqual([health('warning')]);
  });

  it('is found by DNS while it is healthy', async () => {
    const backend = await stage.backend();
    await register(backend, { weight: 7 });
    await register(backend, { serviceId: 'web-2', address: '10.0.0.2' });
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${stage.agent.dnsPort}`]);
    const weights = async () =>
      (await resolver.resolveSrv('web.service.consul')).map(({ port, weight }) => [port, weight]).sort();
    expect(await weights()).toEqual([
      [8080, 100],
      [8080, 7],
    ]);
    await backend.registrar!.update(KEY, { kind: 'probe', status: 'critical' }, { actor });
    expect(await weights()).toEqual([[8080, 100]]);
    expect(await resolver.resolve4('web.service.consul')).toEqual(['10.0.0.2']);
  });

  it('is gone from the catalog with its checks when it is deregistered', async () => {
    const backend = await stage.backend();
    await register(backend);
    await backend.registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
    await backend.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    expect(await shown('web')).toEqual([]);
    expect(await stage.operate('GET', 'health/checks/web')).toEqual([]);
  });

  it('is in the catalog whatever its id', async () => {
    const backend = await stage.backend();
    const ids = ['case', 'Case', 'CASE', ...HOSTILE.map(({ serviceId }) => serviceId!)];
    for (const serviceId of ids) await register(backend, { serviceId });
    expect(await shown('web')).toHaveLength(ids.length);
    for (const serviceId of ids) {
      await backend.registrar!.deregister({ serviceName: 'web', serviceId }, { actor, cause: 'deregistered' });
    }
    expect(await shown('web')).toEqual([]);
  });

  it.each([
    ['address', { address: '0.0.0.0' }],
    ['service_name', { serviceName: 'consul' }],
  ])('is nothing that Consul would not take: %s', async (path, over) => {
    const backend = await stage.backend();
    await expect(register(backend, over)).rejects.toMatchObject({ code: 'INVALID', issues: [{ path }] });
    expect((await backend.list()).instances).toEqual([]);
  });

  it('leaves nothing in the KV store in the end but what the next needs', async () => {
    const backend = await stage.backend();
    const given = ['web-1', 'web-2'];
    for (const serviceId of given) await register(backend, { serviceId });
    const keys = () => stage.operate('GET', 'kv/?keys');
    expect(await keys()).toEqual([
      'service-discovery/changes/web',
      'service-discovery/heartbeats/web/web-1',
      'service-discovery/heartbeats/web/web-2',
      'service-discovery/instances/web/web-1',
      'service-discovery/instances/web/web-2',
      'service-discovery/registry',
    ]);
    // Together, as they leave at the end of a service.
    await Promise.all(
      given.map((serviceId) => backend.registrar!.deregister({ ...KEY, serviceId }, { actor, cause: 'deregistered' })),
    );
    // The word of the removal stays for a while.
    await until(async () => (await keys()).length === 1, 30_000);
    expect(await keys()).toEqual(['service-discovery/registry']);
  }, 60_000);
});

describeOwn(consul)('what somebody takes out of the catalog', () => {
  it.each(['the service', 'its node'])('is removed, and nobody says why: %s', async (what) => {
    const backend = await stage.backend();
    const watcher = await stage.watch(backend);
    await register(backend);
    await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
    const [entry] = await shown('web');
    const { Node } = entry!.Node;
    await stage.operate('PUT', 'catalog/deregister', what === 'its node' ? { Node } : { Node, ServiceID: 'web:web-1' });
    await watcher.until('the removal', () => watcher.get(KEY) === undefined);
    expect(watcher.removals(KEY)).toMatchObject([{ cause: 'unknown', actor: 'consul' }]);
    await expect(backend.registrar!.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await register(backend)).toMatchObject({ created: true });
    expect(await shown('web')).toHaveLength(1);
  });
});

describeOwn(consul)('what somebody takes out of the KV store', () => {
  it.each(['the record', 'all that is ours'])(
    'is removed, and leaves the catalog: %s',
    async (what) => {
      const backend = await stage.backend();
      const watcher = await stage.watch(await stage.backend());
      await register(backend);
      await register(backend, { serviceId: 'Another one' });
      await watcher.until('both', () => watcher.instances.size === 2);
      const all = what === 'all that is ours';
      await stage.operate('DELETE', `kv/service-discovery/${all ? '?recurse' : 'instances/web/web-1'}`);
      // Of a tree deleted from above, a query may hear only when it has waited in vain.
      await watcher.until('the removal', () => watcher.instances.size === (all ? 0 : 1), 30_000);
      await until(async () => {
        await backend.list();
        return (await shown('web')).length === watcher.instances.size;
      });
      expect(await register(backend)).toMatchObject({ created: true });
      expect(await shown('web')).toHaveLength(all ? 1 : 2);
    },
    60_000,
  );
});

describeOwn(consul)('two of our clusters on one Consul', () => {
  it('have records of their own, and see of each other what the catalog shows', async () => {
    const [one, other] = [
      await stage.backend({ REGISTRY_PREFIX: 'one' }),
      await stage.backend({ REGISTRY_PREFIX: 'other/' }),
    ];
    const { instance } = await register(one);
    await until(async () => (await other.list()).instances.length === 1);
    const [seen] = (await other.list()).instances;
    expect(seen).toMatchObject({ serviceName: 'web', serviceId: 'web:web-1', address: instance.address });
    await expect(other.registrar!.deregister(keyOf(seen!), { actor, cause: 'deregistered' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await register(other);
    await one.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    expect(await shown('web')).toHaveLength(1);
  });
});
