import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DiscoveryClient, NoInstanceError, NotReadyError, type ClientOptions, type Instance } from '#client';
import { register } from '../support/instances.js';
import { temporaryFolder } from '../support/process.js';
import { Proxy } from '../support/proxy.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LONG_MS = 30_000;

let server: TestServer;
let ways: Proxy[];
let clients: DiscoveryClient[];
beforeEach(async () => {
  server = await TestServer.start();
  const port = Number(new URL(server.url).port);
  ways = [await Proxy.to(port), await Proxy.to(port)];
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(ways.map((way) => way.close()));
  await server.stop();
});

function connect(options: Partial<ClientOptions> = {}): DiscoveryClient {
  const client = new DiscoveryClient({ servers: ways.map(({ port }) => `http://127.0.0.1:${port}`), ...options });
  clients.push(client);
  return client;
}

const ids = (instances: readonly Instance[]) => instances.map(({ serviceId }) => serviceId);
const add = (id: string, over: object = {}) => register(server.http, { service_name: 'web', id, ...over });

/** Resolves when the client knows exactly these instances of `web`. */
async function knows(client: DiscoveryClient, ...expected: string[]): Promise<void> {
  await until(() => ids(client.instances('web')).join() === expected.join(), LONG_MS);
}

describe('discovery', () => {
  it('answers from what it was told, and says when it was told nothing yet', async () => {
    await add('a', { tags: ['x'], metadata: { v: '1' }, path: '/api', zone: 'z' });
    await add('b', { status: 'maintenance' });
    const client = connect();
    expect(() => client.instances('web')).toThrow(NotReadyError);
    await client.ready();
    expect(client.source).toBe('live');
    expect(client.services()).toEqual(['web']);
    expect(ids(client.instances('WEB'))).toEqual(['a', 'b']);
    expect(client.instances('web')[0]).toMatchObject({
      status: 'passing',
      url: 'http://127.0.0.1:8080/api',
      zone: 'z',
    });
    for (const filter of [{ tags: ['x'] }, { withoutTags: ['y'], metadata: { v: '1' } }, { healthyOnly: true }])
      expect(ids(client.instances('web', filter))).toEqual(['a']);
    expect(client.instances('none')).toEqual([]);
    await add('c');
    await knows(client, 'a', 'b', 'c');
    await server.http.delete('/api/v1/services/web/instances/a');
    await knows(client, 'b', 'c');
  });

  it('picks among those that are fit, by the strategy asked for', async () => {
    for (const id of ['a', 'b', 'c']) await add(id, { tags: [id === 'c' ? 'y' : 'x'] });
    await add('out', { status: 'critical', health_check: { type: 'ttl' } });
    const client = connect();
    await client.ready();
    const picks = Array.from({ length: 30 }, () => client.pick('web').instance.serviceId);
    for (const id of ['a', 'b', 'c']) expect(picks.filter((each) => each === id)).toHaveLength(10);
    const keyed = new Set(
      Array.from(
        { length: 10 },
        () => client.pick('web', { strategy: 'consistent_hash', key: 'k' }).instance.serviceId,
      ),
    );
    expect(keyed.size).toBe(1);
    const { instance, done } = client.pick('web', { filter: { tags: ['x'] }, exclude: new Set(['a']) });
    expect(instance.serviceId).toBe('b');
    done({ ok: true, durationMs: 5 });
    expect(() => client.pick('none')).toThrow(NoInstanceError);
    expect(() => client.pick('web', { strategy: 'best' })).toThrow(/unknown strategy "best"/);
  });

  it('learns from what it is told of calls: whoever is slow gets less', async () => {
    for (const id of ['a', 'b']) await add(id);
    const client = connect({ strategy: 'power_of_two' });
    await client.ready();
    const picks: string[] = [];
    for (let i = 0; i < 50; i++) {
      const { instance, done } = client.pick('web');
      picks.push(instance.serviceId);
      done({ ok: true, durationMs: instance.serviceId === 'a' ? 2_000 : 5 });
    }
    expect(picks.filter((id) => id === 'a').length).toBeLessThan(10);
  });

  it('is watched: what there is, then each change, until the signal', async () => {
    const client = connect();
    const ended = new AbortController();
    const told: string[] = [];
    for await (const instances of client.watch('web', ended.signal)) {
      told.push(ids(instances).join());
      if (told.length === 1) void add('a');
      if (told.length === 2) void server.http.delete('/api/v1/services/web/instances/a');
      if (told.length === 3) ended.abort();
    }
    expect(told).toEqual(['', 'a', '']);
  });

  it('gives up waiting when it is told to', async () => {
    await Promise.all(ways.map((way) => way.cut()));
    const client = connect();
    await expect(client.ready(AbortSignal.timeout(200))).rejects.toThrow(/timeout/);
  });
});

describe('an outage', () => {
  it('of one server is the next one’s turn', async () => {
    await add('a');
    const client = connect();
    await client.ready();
    for (const way of ways) {
      await way.cut();
      await add(`after-${ways.indexOf(way)}`);
      await until(
        () => client.instances('web').some(({ serviceId }) => serviceId === `after-${ways.indexOf(way)}`),
        LONG_MS,
      );
      expect(client.source).toBe('live');
      await way.mend();
    }
  });

  it('of all leaves what was known, and ends with what there is', async () => {
    await add('a');
    const errors: Error[] = [];
    const client = connect({ onError: (error) => errors.push(error) });
    await client.ready();
    await Promise.all(ways.map((way) => way.cut()));
    await until(() => client.source === 'stale', LONG_MS);
    expect(ids(client.instances('web'))).toEqual(['a']);
    expect(client.pick('web').instance.serviceId).toBe('a');
    await add('b');
    await server.http.delete('/api/v1/services/web/instances/a');
    await Promise.all(ways.map((way) => way.mend()));
    await knows(client, 'b');
    expect(client.source).toBe('live');
    expect(errors.length).toBeGreaterThan(0);
  });

  it('that makes no sound is found by the silence', async () => {
    await add('a');
    const client = connect({ silenceMs: 1_000 });
    await client.ready();
    for (const way of ways) way.freeze();
    await until(() => client.source === 'stale', LONG_MS);
    await Promise.all(ways.map((way) => way.mend()));
    await until(() => client.source === 'live', LONG_MS);
  });

  it('at the start is bridged by the file of the process before', async () => {
    const snapshotFile = join(await temporaryFolder(), 'known.json');
    await add('a', { metadata: { v: '1' } });
    const before = connect({ snapshotFile });
    await before.ready();
    const known = before.instances('web');
    await before.close();
    await Promise.all(ways.map((way) => way.cut()));

    const after = connect({ snapshotFile });
    await after.ready();
    expect(after.source).toBe('snapshot');
    expect(JSON.stringify(after.instances('web'))).toBe(JSON.stringify(known));
    await add('b');
    await Promise.all(ways.map((way) => way.mend()));
    await knows(after, 'a', 'b');
    expect(after.source).toBe('live');
  });
});

it('polls where streams do not come through', async () => {
  const asked: string[] = [];
  const gate = createServer((incoming, outgoing) => {
    asked.push(incoming.url!);
    if (incoming.url!.includes('/watch/')) {
      outgoing.writeHead(404).end();
      return;
    }
    const { method, headers } = incoming;
    const passed = request(`${server.url}${incoming.url!}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  try {
    const client = connect({ servers: [`http://127.0.0.1:${(gate.address() as AddressInfo).port}/`] });
    await add('a');
    await client.ready();
    await add('b');
    await knows(client, 'a', 'b');
    await server.http.delete('/api/v1/services/web/instances/a');
    await knows(client, 'b');
    expect(asked.filter((url) => url.includes('/watch/'))).toHaveLength(1);
    expect(asked.filter((url) => url.includes('wait=')).length).toBeGreaterThan(1);
    await client.close();
  } finally {
    gate.closeAllConnections();
    gate.close();
  }
});
