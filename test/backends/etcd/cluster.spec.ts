import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { registration, Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { Etcd, etcd } from '../../servers/etcd.js';
import { until } from '../../support/until.js';
import { newPrefix, startedBackends } from './fixture.js';

const TEST_MS = 120_000;
const MENDED_MS = 30_000;
const actor = 'tests';

const start = startedBackends();

describeOwn(etcd)('a cluster of three', () => {
  let members: readonly Etcd[];
  let backend: RegistryBackend;
  let watcher: Watcher;

  beforeEach(async () => {
    members = await Etcd.startCluster(3);
    const ETCD_HOSTS = members.map(({ server }) => server.address).join(',');
    backend = await start({ ETCD_HOSTS, REGISTRY_PREFIX: newPrefix() });
    watcher = new Watcher(backend);
    await watcher.until('the beginning', () => watcher.events.length > 0);
  }, TEST_MS);
  afterEach(async () => {
    await watcher.stop();
    await Promise.all(members.map(({ server }) => server.stop()));
  }, TEST_MS);

  /** As a caller would, until it is taken. */
  async function register(serviceId: string, ttl = 60_000): Promise<void> {
    const attempt = () => backend.registrar!.register(registration({ serviceId, ttl }), { actor });
    await until(
      () =>
        attempt().then(
          () => true,
          () => false,
        ),
      MENDED_MS,
    );
  }

  it(
    'goes on when any of its members is killed, and loses nothing that was told',
    async () => {
      for (const [i, { server }] of members.entries()) {
        await register(`before-${i}`);
        await server.kill();
        await register(`after-${i}`);
        await watcher.until('what came after', () => watcher.instances.size === (i + 1) * 2);
        await server.restart();
      }
      // Whatever was missed was told from history, and not by a new snapshot.
      expect(watcher.events.filter(({ kind }) => kind === 'snapshot')).toHaveLength(1);
    },
    TEST_MS,
  );

  it(
    'ends no lease while it has no majority, and gives everybody the time to renew',
    async () => {
      const ttl = 5_000;
      await register('one', ttl);
      await watcher.until('the instance', () => watcher.instances.size === 1);
      const [first, second] = members;
      await Promise.all([first!.server.kill(), second!.server.kill()]);
      await watcher.until('that it is away', () => watcher.stale, MENDED_MS);
      await expect(backend.list(AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await new Promise((resolve) => setTimeout(resolve, ttl + 1_000));
      await Promise.all([first!.server.restart(), second!.server.restart()]);
      await watcher.until('that it is back', () => !watcher.stale, MENDED_MS);
      const key = keyOf(registration({ serviceId: 'one' }));
      await expect(backend.registrar!.renew(key, {}, { actor })).resolves.toMatchObject({ key });
      expect(watcher.removals(key)).toEqual([]);
    },
    TEST_MS,
  );
});
