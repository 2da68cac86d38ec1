import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { Reader } from '../replicas/support/readers.js';
import { HttpClient } from '../support/http-client.js';
import { endProcesses } from '../support/process.js';
import { until } from '../support/until.js';
import { mayMount } from './support/mounts.js';
import type { Pod } from './support/pod.js';
import { mayRelease, PATIENCE_MS, Release } from './support/release.js';

/** SOAK=1: a thousand reads a second, through ten upgrades. */
const { READERS, EVERY_MS, UPGRADES } = process.env.SOAK
  ? { READERS: 60, EVERY_MS: 60, UPGRADES: 10 }
  : { READERS: 10, EVERY_MS: 100, UPGRADES: 1 };
const REPLICAS = 2;
/** The release's own Service, which its servers discover. */
const PATH = `/api/v1/services/${Release.NAME}`;
const TEST_MS = 240_000 * UPGRADES;

let release: Release;
beforeEach(async () => {
  release = await Release.inNewNamespace();
});
afterEach(async () => {
  await endProcesses();
  await release.end();
});

/** Where a control plane is missing, or mounts are not allowed; with CI set the runner has failed before, or this fails. */
(mayRelease() && mayMount('--map-root-user') ? describe : describe.skip)('an upgrade of a release', () => {
  it(
    'fails no read, and refuses none',
    async () => {
      const port = await freePort();
      const values = { replicaCount: REPLICAS, 'shutdown.preStopSeconds': 2, 'config.env.SERVICE_PORT': `${port}` };
      await release.helm('install', values);
      // What the release's Service leads to: pods that are ready, and have not been told to go.
      const endpoints: string[] = [];
      let started = 0;
      const start = async (): Promise<Pod> => {
        const address = `127.0.0.${++started}`;
        const pod = await release.pod(address);
        await pod.start();
        await until(() => pod.passes('readinessProbe'), PATIENCE_MS);
        endpoints.push(`http://${address}:${port}`);
        return pod;
      };
      const stop = async (pod: Pod): Promise<void> => {
        endpoints.splice(endpoints.indexOf(`http://${pod.environment.SERVICE_HOST}:${port}`), 1);
        expect(await pod.stop()).toEqual({ code: 0, signal: null });
      };
      let pods = [await start(), await start()];
      for (const url of endpoints) await discovers(url);

      const ending = new AbortController();
      const readers = Array.from({ length: READERS }, () => new Reader(endpoints, PATH));
      const reading = Promise.all(readers.map((reader) => reader.readUntil(ending.signal, EVERY_MS)));
      const total = (count: (reader: Reader) => number) => readers.reduce((sum, reader) => sum + count(reader), 0);

      for (let upgrade = 1; upgrade <= UPGRADES; upgrade++) {
        await release.helm('upgrade', { ...values, 'config.env.SERVICE_TTL': `${60 + upgrade}s` });
        const { rollingUpdate } = (await release.deployment()).spec.strategy;
        expect(rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
        const fresh: Pod[] = [];
        for (const old of pods) {
          fresh.push(await start());
          await stop(old);
        }
        for (const { environment } of fresh) expect(environment.SERVICE_TTL).toBe(`${60 + upgrade}s`);
        pods = fresh;
        const before = total(({ answers }) => answers);
        await until(() => total(({ answers }) => answers) > before + READERS, PATIENCE_MS);
      }

      ending.abort();
      await reading;
      expect(readers.flatMap(({ failures }) => failures)).toEqual([]);
      expect(total(({ moves }) => moves)).toBe(0);
      console.log(`${total(({ answers }) => answers)} reads through ${UPGRADES} upgrades, none failed`);
    },
    TEST_MS,
  );
});

/** The cluster has told it of the pods by now. */
async function discovers(url: string): Promise<void> {
  const http = new HttpClient(url);
  await until(async () => (await http.get(PATH)).status === 200, PATIENCE_MS).finally(() => http.close());
}
