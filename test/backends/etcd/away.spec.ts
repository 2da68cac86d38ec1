import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Watcher } from '#core/testing';
import { etcd } from '../../servers/etcd.js';
import { shared } from '../../servers/kind.js';
import { Proxy } from '../../support/proxy.js';
import { newPrefix, startedBackends } from './fixture.js';

const START_MS = 10_000;

const start = startedBackends();
let ways: Proxy[];

beforeEach(async () => {
  const port = Number(new URL(shared(etcd)).port);
  ways = await Promise.all(Array.from({ length: 4 }, () => Proxy.to(port)));
});
afterEach(() => Promise.all(ways.map((way) => way.close())));

it('a start waits no longer for many members that hang than for one, and takes up its work when they answer', async () => {
  for (const way of ways) way.freeze();
  const begun = performance.now();
  const backend = await start({
    ETCD_HOSTS: ways.map(({ port }) => `127.0.0.1:${port}`).join(','),
    REGISTRY_PREFIX: newPrefix(),
  });
  expect(performance.now() - begun).toBeLessThan(START_MS);
  const watcher = new Watcher(backend);
  await watcher.until('the outage', () => watcher.events.length > 0);
  expect(watcher.stale).toBe(true);
  for (const way of ways) await way.mend();
  await watcher.until('the beginning', () => !watcher.stale, 20_000);
}, 60_000);
