import { expect, it } from '@jest/globals';
import { statusOf } from '#core';
import { registration } from '#core/testing';
import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { actor, Stage, START_MS } from './support/consul-under-test.js';

const SERVICES = 1_000;
/** More connections than ours and this test's own are refused. */
const stage = new Stage({ configuration: ['limits { http_max_conns_per_client = 40 }'] });

const serviceName = (i: number) => `foreign-${i}`;
const foreign = (i: number) => ({ serviceName: serviceName(i), serviceId: serviceName(i) });

/** As somebody's own tool would, on ten hosts; every other service has a check. */
async function registerForeign(): Promise<void> {
  const hosts = Array.from({ length: 10 }, (_, i) => ({
    Node: { Verb: 'set', Node: { Node: `host-${i}`, Address: '10.0.0.1' } },
  }));
  await stage.operate('PUT', 'txn', hosts);
  for (let from = 0; from < SERVICES; from += 50) {
    const batch = Array.from({ length: 50 }, (_, i) => from + i).flatMap((i) => [
      { Service: { Verb: 'set', Node: `host-${i % 10}`, Service: { Service: serviceName(i), Port: 80 } } },
      ...(i % 2 === 0 ? [{ Check: { Verb: 'set', Check: checkOf(i, 'passing') } }] : []),
    ]);
    await stage.operate('PUT', 'txn', batch);
  }
}

function checkOf(i: number, Status: string): object {
  return { Node: `host-${i % 10}`, CheckID: `check-${i}`, Name: 'check', ServiceID: serviceName(i), Status };
}

describeOwn(consul)('a thousand services of others', () => {
  it(
    'are followed with a few connections, beside ours',
    async () => {
      await registerForeign();
      const backend = await stage.backend();
      const watcher = await stage.watch(backend);
      await watcher.until('all of them', () => watcher.instances.size === SERVICES, 30_000);

      const within = async (what: string, change: () => Promise<unknown>, seen: () => boolean) => {
        const begun = performance.now();
        await change();
        await watcher.until(what, seen);
        return performance.now() - begun;
      };
      const removed = (i: number) =>
        stage.operate('PUT', 'catalog/deregister', { Node: `host-${i % 10}`, ServiceID: serviceName(i) });
      const times = [
        await within(
          'a failed check',
          () => stage.operate('PUT', 'txn', [{ Check: { Verb: 'set', Check: checkOf(20, 'critical') } }]),
          () => statusOf(watcher.get(foreign(20))!) === 'critical',
        ),
        await within(
          'one gone',
          () => removed(30),
          () => !watcher.get(foreign(30)),
        ),
        await within(
          'one gone that had no check',
          () => removed(31),
          () => !watcher.get(foreign(31)),
        ),
      ];
      // Less than a query waits: it was the change that was heard. How much less is up to the machine.
      for (const time of times) expect(time).toBeLessThan(8_000);

      const ours = Array.from({ length: 200 }, (_, i) => registration({ serviceName: `ours-${i}` }));
      await Promise.all(ours.map((each) => backend.registrar!.register(each, { actor })));
      expect((await backend.list()).instances).toHaveLength(SERVICES - 2 + ours.length);
    },
    2 * START_MS,
  );
});
