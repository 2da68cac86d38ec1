import { expect, it } from '@jest/globals';
import { statusOf } from '#core';
import { registration } from '#core/testing';
import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { actor, Stage, START_MS } from './support/consul-under-test.js';

const SERVICES = 1_000;
/** Less than a blocking query waits for a change. */
const SOON_MS = 8_000;
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

      /** Of three changes one is seen sooner than a query waits: it was the change that was heard. */
      const heard = async (first: number, change: (i: number) => Promise<unknown>, seen: (i: number) => boolean) => {
        for (const i of [first, first + 2, first + 4]) {
          const begun = performance.now();
          await change(i);
          await watcher.until(`the change of ${serviceName(i)}`, () => seen(i));
          if (performance.now() - begun < SOON_MS) return;
        }
        throw new Error(`the change of ${serviceName(first)} was only found by polling`);
      };
      const remove = (i: number) =>
        stage.operate('PUT', 'catalog/deregister', { Node: `host-${i % 10}`, ServiceID: serviceName(i) });
      const fail = (i: number) =>
        stage.operate('PUT', 'txn', [{ Check: { Verb: 'set', Check: checkOf(i, 'critical') } }]);
      const gone = (i: number) => !watcher.get(foreign(i));
      await heard(20, fail, (i) => statusOf(watcher.get(foreign(i))!) === 'critical');
      await heard(30, remove, gone);
      await heard(31, remove, gone);
      const left = watcher.instances.size;

      const ours = Array.from({ length: 200 }, (_, i) => registration({ serviceName: `ours-${i}` }));
      await Promise.all(ours.map((each) => backend.registrar!.register(each, { actor })));
      expect((await backend.list()).instances).toHaveLength(left + ours.length);
    },
    2 * START_MS,
  );
});
