import { once } from 'node:events';
import { createServer, request, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { describeOwn } from '../servers/describe-own.js';
import { redis } from '../servers/redis.js';
import { freePort } from '../servers/ports.js';
import { register, registerAll } from '../support/instances.js';
import { KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { Sdctl } from './support/sdctl.js';

const PATIENCE_MS = 60_000;
const HEARTBEAT_MS = 35_000;

interface Finding {
  readonly what: string;
  readonly seen: string;
  readonly mend: string;
}

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
  await endProcesses();
});

async function started(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await TestServer.start(settings);
  ended.push(() => server.stop());
  return server;
}

async function findings(sdctl: Sdctl): Promise<Finding[]> {
  const { code, stdout } = await sdctl.run(['doctor', '-o', 'json']);
  const found = JSON.parse(stdout) as Finding[];
  expect(code).toBe(found.length > 0 ? 6 : 0);
  for (const { mend } of found) expect(mend).toMatch(/\w/);
  return found;
}

/** A way to a server on which its clock is another one's. */
async function withClock(url: string, aheadMs: number): Promise<string> {
  const proxy: HttpServer = createServer((asked, answer) => {
    const passed = request(new URL(asked.url!, url), { headers: asked.headers }, (response) => {
      const date = new Date(Date.parse(response.headers.date!) + aheadMs).toUTCString();
      answer.writeHead(response.statusCode!, { ...response.headers, date });
      response.pipe(answer);
    });
    passed.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  ended.push(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await once(proxy, 'close');
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describe('sdctl doctor', () => {
  it('finds nothing where nothing is wrong, and each server that is away', async () => {
    const { url, http } = await started();
    await registerAll(http, 'api', { one: {} });
    expect(await new Sdctl(url).run(['doctor'])).toEqual({ code: 0, stdout: `${url}: nothing found\n`, stderr: '' });
    const away = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout } = await new Sdctl(`${url},${away}`).run(['doctor']);
    expect(code).toBe(6);
    expect(stdout.replaceAll(url.slice(7), 'THERE').replaceAll(away.slice(7), 'AWAY')).toMatchInlineSnapshot(`
     "http://THERE: nothing found
     http://AWAY
       server away: http://AWAY/health: connect ECONNREFUSED AWAY
         Start the server, or correct its URL; look at what is between: names, firewalls, proxies.
     "
    `);
  });

  it('names a wrong credential, and one that has no right', async () => {
    const keys = await KeyFile.in(await temporaryFolder(), { nobody: {} });
    const { url } = await started({ ...keys.environment, ANONYMOUS_ROLE: 'none' });
    const wrong = await findings(new Sdctl(url, { SERVICE_DISCOVERY_TOKEN: 'wrong' }));
    expect(wrong.map(({ what }) => what)).toEqual(['wrong credential']);
    const powerless = await findings(new Sdctl(url, { SERVICE_DISCOVERY_TOKEN: keys.of('nobody') }));
    expect(powerless.map(({ what }) => what)).toEqual(['missing right']);
  });

  it('names clocks that differ, and heartbeats that come too seldom by the clock of the server', async () => {
    const { url, http } = await started();
    await register(http, { service_name: 'api', service_id: 'rare', ttl: 60 });
    await register(http, { service_name: 'api', service_id: 'often', ttl: 600 });
    const found = await findings(new Sdctl(await withClock(url, HEARTBEAT_MS)));
    expect(found.map(({ what }) => what)).toEqual(['clock skew', 'TTL below twice the heartbeat']);
    expect(found[0]!.seen).toMatch(/^its clock is \d\d s ahead of this machine's$/);
    expect(found[1]!.seen).toMatch(/^api rare: silent for \d\d s of a TTL of 60 s$/);
    const behind = await findings(new Sdctl(await withClock(url, -3_600_000)));
    expect(behind.map(({ seen }) => seen.replace(/\d+/, '#'))).toEqual(["its clock is # s behind this machine's"]);
  });

  it(
    'names a probe that is guarded',
    async () => {
      const { url, http } = await started({ HEALTH_CHECK_ENABLED: 'true', PROBE_LOOPBACK: 'false' });
      const check = { http_path: '/health', interval: '1s', failures_before_critical: 1 };
      await register(http, { service_name: 'api', service_id: 'one', address: 'localhost', health_check: check });
      const sdctl = new Sdctl(url);
      await until(async () => (await findings(sdctl)).length > 0, PATIENCE_MS);
      const [found] = await findings(sdctl);
      expect(found!.what).toBe('guarded probe');
      expect(found!.seen).toMatch(/^api one: localhost is refused: resolves to \S+, which is loopback$/);
    },
    TEST_MS,
  );

  it(
    'names instances that are held',
    async () => {
      const { url, http } = await started();
      await registerAll(http, 'api', { a: { ttl: 5 }, b: { ttl: 5 }, c: { ttl: 5 } });
      await until(async () => 'x-registry-held' in (await http.get('/api/v1/services/api')).headers, PATIENCE_MS);
      const held = (await findings(new Sdctl(url))).find(({ what }) => what === 'instances held');
      expect(held?.seen).toMatch(/^[1-3] of 3 instances of api$/);
    },
    TEST_MS,
  );
});

describeOwn(redis)('sdctl doctor, on a registry', () => {
  it(
    'names one that is away, and a view that is stale',
    async () => {
      const registry = await redis.start();
      ended.push(() => registry.stop());
      const { url, http } = await started({ REGISTRY_TYPE: 'redis', REDIS_URL: registry.address });
      await register(http, { service_id: 'one', ttl: 300 });
      await registry.kill();
      const stale = async () => (await http.get('/api/v1/services')).headers['x-registry-source'] === 'stale';
      await until(stale, PATIENCE_MS);
      const sdctl = new Sdctl(url);
      expect((await findings(sdctl)).map(({ what }) => what)).toEqual(['registry away', 'stale view']);
      const { stderr, stdout } = await sdctl.run(['instances', '-o', 'name']);
      expect(stdout).toBe('one\n');
      expect(stderr).toMatch(/^The registry is away: this is what was known \d+s ago\. /);
    },
    TEST_MS,
  );
});
