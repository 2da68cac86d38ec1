import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cp, readFile, rm } from 'node:fs/promises';
import { keyOf } from '#core';
import { registration, Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { kubernetes, startApiServer } from '../../servers/kubernetes.js';
import type { Server } from '../../servers/server.js';
import { createSlice, pod } from './support/cluster-objects.js';
import { Admin } from './support/admin.js';
import { Place } from './support/place.js';

const TEST_MS = 120_000;
const actor = 'tests';

describeOwn(kubernetes)('a cluster of our own', () => {
  let apiServer: Server;
  beforeAll(async () => {
    apiServer = await startApiServer();
  }, TEST_MS);
  afterAll(() => apiServer.stop());

  it(
    'that is restored from a backup is what it was then, under another incarnation',
    async () => {
      const place = await Place.open(new Admin(apiServer.address));
      const backend = await place.backend({ KUBERNETES_WRITE: 'true' });
      await backend.start();
      const watcher = new Watcher(backend);
      const staying = registration({ serviceId: 'staying' });
      const leaving = registration({ serviceId: 'leaving' });
      const coming = registration({ serviceId: 'coming' });
      for (const each of [staying, leaving]) await backend.registrar!.register(each, { actor });
      await createSlice(place, { service: 'theirs', endpoints: [pod('theirs-1', '10.2.0.1')] });
      await watcher.until('all three', () => watcher.instances.size === 3);
      const { incarnation } = await backend.list();

      await restoring(apiServer, async () => {
        await watcher.until('the registry after its backup', () => !watcher.stale, TEST_MS / 2);
        await backend.registrar!.deregister(keyOf(leaving), { actor, cause: 'deregistered' });
        await backend.registrar!.register(coming, { actor });
        await createSlice(place, { service: 'more', endpoints: [pod('more-1', '10.2.0.2')] });
        await watcher.until('what will be undone', () => watcher.instances.size === 4);
      });

      const before = ['api/leaving', 'api/staying', 'theirs/theirs-1'];
      const isBefore = () => JSON.stringify([...watcher.instances.keys()].sort()) === JSON.stringify(before);
      await watcher.until('what was before', () => !watcher.stale && isBefore(), 30_000);
      expect((await backend.list()).incarnation).not.toBe(incarnation);
      await backend.registrar!.register(coming, { actor });
      await watcher.until('what comes now', () => watcher.get(coming) !== undefined);
      await watcher.stop();
      await backend.stop();
      await place.close();
    },
    TEST_MS,
  );
});

/** Takes a backup, and goes back to it after something has happened. */
async function restoring(apiServer: Server, meanwhile: () => Promise<void>): Promise<void> {
  const [etcd] = apiServer.companions as [Server];
  const data = /--data-dir=([^\0]+)/.exec(await readFile(`/proc/${etcd.pid}/cmdline`, 'utf8'))![1]!;
  const backup = `${data}.backup`;
  // A copy of what is being written to would be no backup.
  await whileStopped(() => cp(data, backup, { recursive: true }));
  await meanwhile();
  await whileStopped(async () => {
    await rm(data, { recursive: true });
    await cp(backup, data, { recursive: true });
  });

  async function whileStopped(work: () => Promise<void>): Promise<void> {
    await apiServer.kill();
    await etcd.kill();
    await work();
    await etcd.restart();
    await apiServer.restart();
  }
}
