import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LIMITS } from '#core';
import { ConfigReader } from '../support/config-reader.js';
import { ConfigWriters } from '../support/config-writers.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { until } from '../support/until.js';
import { REGISTRIES, registriesOf } from './support/registries.js';
import { Replica } from './support/replicas.js';

/** By both together. SOAK=1 tries what each registry gets through in a few minutes. */
const INCREMENTS: Readonly<Record<string, number>> = process.env.SOAK
  ? { consul: 1_000, etcd: 10_000, kubernetes: 1_000, redis: 10_000 }
  : { consul: 200, etcd: 200, kubernetes: 60, redis: 200 };
const INCREMENTS_MS = 1_200_000;
const LAGS = process.env.SOAK ? 40 : 4;

afterEach(endProcesses);

describe.each(REGISTRIES)('configuration through two replicas on $type', (registry) => {
  it(
    'loses no increment by compare-and-set, and is told version by version',
    async () => {
      const replicas = await Replica.startSeveral(2, await registry.environment());
      const [total, path] = [INCREMENTS[registry.type]!, '/api/v1/config/counter'];
      await replicas[0]!.http.put(path, { count: 0 });
      for (const { http } of replicas) await until(async () => (await http.get(path)).status === 200, TEST_MS);
      const readers = replicas.map(({ server }) => ConfigReader.bySse(server.url, 'counter?since=1'));
      const begun = performance.now();
      let [left, lost] = [total, 0];
      const work = async ({ http }: Replica): Promise<void> => {
        while (left-- > 0) while (!(await raise(http, path))) lost++;
      };
      await Promise.all([...replicas, ...replicas].map(work));
      const seconds = (performance.now() - begun) / 1_000;
      console.log(`${registry.type}: ${total} increments in ${seconds.toFixed(1)} s, ${lost} tries came too late`);
      for (const reader of readers) await reader.until(total + 1);
      for (const reader of readers) {
        reader.close();
        expect(jumps(reader)).toEqual([]);
      }
      for (const { http } of replicas) expect((await http.get<Counter>(path)).data.config).toEqual({ count: total });
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    INCREMENTS_MS,
  );

  it(
    'is soon in what the other one tells',
    async () => {
      const [written, read] = await Replica.startSeveral(2, await registry.environment());
      const path = '/api/v1/config/lag';
      await written!.http.put(path, { n: 1 });
      await until(async () => (await read!.http.get(path)).status === 200, TEST_MS);
      const reader = ConfigReader.bySse(read!.server.url, 'lag');
      await reader.until(1);
      const lags: number[] = [];
      for (let n = 2; n < LAGS + 2; n++) {
        await written!.http.put(path, { n });
        const acknowledged = performance.now();
        await reader.until(n);
        lags.push(performance.now() - acknowledged);
        // Not in step with whoever looks every second.
        await sleep(Math.random() * 1_000);
      }
      reader.close();
      lags.sort((a, b) => a - b);
      const [middle, most] = [lags[LAGS / 2]!, lags.at(-1)!].map((ms) => ms.toFixed(0));
      console.log(`${registry.type}: a version is told by another replica after ${middle} ms, at most ${most} ms`);
      await Promise.all([written!, read!].map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});

describe.each(registriesOf('etcd', 'redis'))('configuration on $type', (registry) => {
  it(
    'is as it was or as it was to be when a replica is killed in the middle of writing',
    async () => {
      const environment = await registry.environment();
      const witness = await Replica.start(environment);
      const writers = new ConfigWriters('killed');
      for (let round = 0; round < 2; round++) {
        const killed = await Replica.start(environment);
        const written = writers.writeUntilAway(killed.server.url);
        await sleep(200 + Math.random() * 1_000);
        await killed.end('SIGKILL');
        await written;
        const after = await Replica.start(environment);
        expect(await writers.violations(after.http)).toEqual([]);
        await until(async () => (await writers.violations(witness.http)).length === 0, TEST_MS);
        await after.end('SIGTERM');
      }
      expect(writers.acknowledged).toBeGreaterThan(0);
      await witness.end('SIGTERM');
    },
    TEST_MS,
  );
});

interface Counter {
  readonly config: { readonly count: number };
}

/** Once, if nobody was faster. */
async function raise(http: Replica['http'], path: string): Promise<boolean> {
  const { data, etag } = await http.get<Counter>(path);
  const answer = await http.put(path, { count: data.config.count + 1 }, { 'if-match': etag });
  if (answer.status !== 200 && answer.status !== 412) throw new Error(`${answer.status} ${answer.text}`);
  return answer.status === 200;
}

/** Versions that came out of order, or were left out: whoever is behind by more than is kept begins anew, and is told so. */
function jumps({ told }: ConfigReader): string[] {
  let last = 1;
  return told.flatMap(({ event, version }) => {
    const isRight = event === 'config' ? version === last + 1 : version >= last + LIMITS.configVersions;
    const before = last;
    last = version;
    return isRight ? [] : [`${event} ${version} after ${before}`];
  });
}
