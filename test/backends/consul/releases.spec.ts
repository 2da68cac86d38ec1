import { expect, it } from '@jest/globals';
import type { InstanceKey, RegistryBackend } from '#core';
import { registration } from '#core/testing';
import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { actor, Stage } from './support/consul-under-test.js';

const KEY: InstanceKey = { serviceName: 'web', serviceId: 'web-1' };
const RECORD = 'kv/service-discovery/instances/web/web-1';
const FOLDER = 'kv/service-discovery/registry';
/** What this release knows nothing of. */
const ADDED = { placement: { rack: 'r1', spread: [1, 2] } };

describeOwn(consul)('a newer release on the same Consul', () => {
  const stage = new Stage();

  const stored = (path: string) => stage.operate('GET', `${path}?raw`);

  /** As the newer release stores it. */
  async function add(path: string, fields: object): Promise<void> {
    await stage.operate('PUT', path, { ...(await stored(path)), ...fields });
  }

  it.each<[string, (backend: RegistryBackend) => Promise<unknown>]>([
    ['a registration', (backend) => backend.registrar!.register(registration({ ...KEY, port: 81 }), { actor })],
    ['a heartbeat', (backend) => backend.registrar!.renew(KEY, { status: 'warning' }, { actor })],
    ['a change', (backend) => backend.registrar!.update(KEY, { kind: 'patch', tags: ['new'] }, { actor })],
    [
      'maintenance',
      (backend) => backend.registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor }),
    ],
  ])('keeps what it has added to a record through %s of this one', async (_, write) => {
    const backend = await stage.backend();
    await backend.registrar!.register(registration(KEY), { actor });
    await add(RECORD, ADDED);
    const before = await stored(RECORD);
    await write(backend);
    const after = await stored(RECORD);
    expect(after).toMatchObject(ADDED);
    expect(after).not.toEqual(before);
  });

  it('keeps what it has added to our folder', async () => {
    await (await stage.backend()).stop();
    await add(FOLDER, ADDED);
    const before = await stored(FOLDER);
    await stage.backend();
    expect(await stored(FOLDER)).toEqual(before);
  });

  it('is not joined when it lays out our folder otherwise', async () => {
    await (await stage.backend()).stop();
    await add(FOLDER, { v: 2 });
    await expect(stage.backend()).rejects.toThrow(/^consul: .*service-discovery\/registry.* REGISTRY_PREFIX\)$/);
  });
});
