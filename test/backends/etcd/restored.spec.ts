import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { registration, Watcher } from '#core/testing';
import { describeOwn } from '../../servers/describe-own.js';
import { Etcd, etcd } from '../../servers/etcd.js';
import { EtcdFixture } from './fixture.js';

const TEST_MS = 60_000;
const actor = 'tests';
const KEY = keyOf(registration());

describeOwn(etcd)('a backup that was restored, and has been written to', () => {
  let server: Etcd;
  let fixture: EtcdFixture;
  let backend: RegistryBackend;

  beforeEach(async () => {
    server = await Etcd.start();
    fixture = new EtcdFixture(server.server.address, server);
    backend = await fixture.backend();
    await backend.start();
  }, TEST_MS);
  afterEach(async () => {
    await backend.stop();
    await fixture.close();
    await server.server.stop();
  }, TEST_MS);

  it(
    'is another past, though its revision is beyond ours',
    async () => {
      const watcher = new Watcher(backend);
      await backend.registrar!.register(registration({ tags: ['first'] }), { actor });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      const { incarnation } = await backend.list();
      const way = fixture.wayOf(backend);
      await server.undoing(async () => {
        await fixture.connected();
        await backend.registrar!.update(KEY, { kind: 'patch', tags: ['undone'] }, { actor });
        await way.cut();
      });
      // What etcdutl's --bump-revision and --mark-compacted do.
      for (let i = 0; i < 10; i++) await fixture.etcdctl.put('/elsewhere', String(i));
      await fixture.etcdctl.compact();
      await way.mend();
      await watcher.until('what was before', () => watcher.get(KEY)?.tags[0] === 'first' && !watcher.stale, 20_000);
      expect((await backend.list()).incarnation).not.toBe(incarnation);
    },
    TEST_MS,
  );
});
