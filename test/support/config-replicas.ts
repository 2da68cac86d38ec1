import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS } from '#core';
import { ConfigReader } from './config-reader.js';
import { fresh } from './instances.js';
import { TEST_MS } from './process.js';
import { TestServer } from './server.js';
import { until } from './until.js';

/** Two servers on one registry. @param increments By both together; `SOAK=1` tries more. */
export function replicasShareConfiguration(environment: () => Record<string, string>, increments = 200): void {
  describe('two servers', () => {
    let servers: readonly [TestServer, TestServer];
    beforeEach(async () => {
      servers = await Promise.all([TestServer.start(environment()), TestServer.start(environment())]);
      const ready = servers.map(({ http }) =>
        until(async () => (await http.get('/api/v1/config/none')).status === 404, TEST_MS),
      );
      await Promise.all(ready);
    }, TEST_MS);
    afterEach(() => Promise.all(servers.map((server) => server.stop())));

    it('lose no increment by compare-and-set, and tell each version once, in order', async () => {
      const path = `/api/v1/config/${fresh()}`;
      await servers[0].http.put(path, { count: 0 });
      for (const { http } of servers) await until(async () => (await http.get(path)).status === 200, TEST_MS);
      const readers = servers.map(({ url }) => ConfigReader.bySse(url, `${path.split('/').at(-1)}?since=1`));
      let left = increments;
      const work = async ({ http }: TestServer): Promise<void> => {
        while (left-- > 0) while (!(await raise(http, path)));
      };
      await Promise.all([...servers, ...servers].map(work));
      for (const reader of readers) await reader.until(increments + 1);
      for (const reader of readers) {
        reader.close();
        let last = 1;
        for (const { event, version } of reader.told) {
          // Whoever is behind by more than is kept begins anew, and is told so.
          if (event === 'config') expect(version).toBe(last + 1);
          else expect(version).toBeGreaterThan(last + LIMITS.configVersions - 1);
          last = version;
        }
      }
      for (const { http } of servers) {
        const shown = async () => (await http.get<{ config: object }>(path)).data.config;
        await until(async () => JSON.stringify(await shown()) === `{"count":${increments}}`, TEST_MS);
      }
    }, 600_000);
  });
}

/** Once, if nobody was faster. */
async function raise(http: TestServer['http'], path: string): Promise<boolean> {
  const { data, etag } = await http.get<{ config: { count: number } }>(path);
  const answer = await http.put(path, { count: data.config.count + 1 }, { 'if-match': etag });
  if (answer.status !== 200 && answer.status !== 412) throw new Error(`${answer.status} ${answer.text}`);
  return answer.status === 200;
}
