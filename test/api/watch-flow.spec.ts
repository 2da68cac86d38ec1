import { connect } from 'node:net';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventSource } from 'undici';
import { BackendError, type RegistryBackend } from '#core';
import { Streams } from '../../apps/server/src/streams/index.js';
import { BACKEND } from '../../apps/server/src/tokens.js';
import { fresh, instancePath, register, registerAll, type Instance } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { TEST_MS, within } from '../support/process.js';
import { TestServer } from '../support/server.js';
import type { WatchEvent } from '../support/told.js';
import { until } from '../support/until.js';
import { Watcher } from '../support/watcher.js';
import { WebSocketWatcher } from '../support/web-socket-watcher.js';

// How streams live, stall and end; what they tell is in watch.spec.ts.

jest.setTimeout(TEST_MS);

const servers: TestServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));
afterEach(() => {
  jest.restoreAllMocks();
});

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await TestServer.start(overrides);
  servers.push(server);
  return server;
}

const streamsOf = ({ server }: TestServer) => server.app.get(Streams);

/** A change of about 30 KB. */
function bulk(n: number): object {
  const value = String(n).padEnd(500, 'x');
  return { metadata: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key-${i}`, value])) };
}

describe('an idle stream', () => {
  it('gives signs of life, and moves on the place to come back to', async () => {
    const server = await start({ STREAM_HEARTBEAT: '1' });
    const watcher = await Watcher.open(server.url, 'services/nobody');
    const socket = await WebSocketWatcher.open(server.url, 'watch/services/nobody');
    let pings = 0;
    socket.webSocket.on('ping', () => pings++);
    await register(server.http, { service_name: 'other' });
    const { revision } = await server.http.get('/api/v1/services');
    await watcher.until(() => watcher.beats >= 2 && watcher.lastEventId === revision, 'two signs of life');
    await until(() => pings >= 2, 30_000);
    expect(watcher.names()).toEqual(['snapshot']);
    await Promise.all([watcher.close(), socket.close()]);
  });

  it('whose reader answers no ping is cut', async () => {
    const server = await start({ STREAM_HEARTBEAT: '1' });
    const socket = await WebSocketWatcher.open(server.url, 'watch/services', { autoPong: false });
    expect((await within(socket.closed, 'the end')).code).toBe(1006);
    await until(() => streamsOf(server).size === 0);
  });
});

describe('many who begin while things change', () => {
  it('share a snapshot that is a little older, and know the present all the same', async () => {
    const server = await start();
    const name = fresh();
    const ids = Array.from({ length: 200 }, (_, i) => `i${i}`);
    await registerAll(server.http, name, Object.fromEntries(ids.map((id) => [id, {}])));
    const open = [];
    for (let i = 1; i <= 40; i++) {
      await server.http.patch(instancePath(name, ids[i]!), { weight: i });
      open.push(await Watcher.open(server.url, i % 2 ? `services/${name}` : 'services?metadata.none=1&tags=!x'));
      open.push(await Watcher.open(server.url, 'services?tags=!x'));
      if (i % 5 === 0) await server.http.delete(instancePath(name, ids[100 + i]!));
    }
    const { data } = await server.http.get<Instance[]>(`/api/v1/services/${name}/instances`);
    const weights = new Map(data.map(({ service_id: id, weight }) => [`${name}/${id}`, weight]));
    for (const watcher of open) {
      await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
      if (watcher.events[0]!.instances!.length === 0) continue;
      const agrees = () =>
        watcher.state.size === weights.size &&
        [...watcher.state].every(([key, { weight }]) => weights.get(key) === weight);
      await watcher.until(agrees, 'the present');
      expect(watcher.names()).not.toContain('resync');
    }
    const revisions = new Set(open.map(({ events }) => events[0]!.revision));
    expect(revisions.size).toBeLessThan(open.length / 2);
    await Promise.all(open.map((watcher) => watcher.close()));
  });
});

describe('a reader who does not read', () => {
  it('misses what is overtaken, and has the latest when it reads on', async () => {
    const server = await start({ STREAM_HEARTBEAT: '60' });
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const [slow, quick] = [
      await Watcher.open(server.url, `services/${name}`),
      await Watcher.open(server.url, `services/${name}`),
    ];
    await slow.event(({ event }) => event === 'snapshot', 'the snapshot');
    slow.stall();
    for (let i = 1; i <= 450; i++) await server.http.patch(instancePath(name, 'a'), bulk(i));
    await server.http.delete(instancePath(name, 'b'));
    const latest = (watcher: Watcher) => watcher.state.get(`${name}/a`)?.metadata['key-0']?.startsWith('450x') ?? false;
    // Nobody else waits for it.
    await quick.until(() => latest(quick) && quick.ids().join() === 'a', 'all of it');
    slow.goOn();
    await slow.until(() => latest(slow) && slow.ids().join() === 'a', 'the present');
    expect(quick.events.length).toBeGreaterThan(slow.events.length);
    expect(slow.names()).not.toContain('resync');
    await Promise.all([slow.close(), quick.close()]);
  });

  it('begins anew when what it has missed is forgotten', async () => {
    const server = await start({ STREAM_HEARTBEAT: '60' });
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const slow = await Watcher.open(server.url, `services/${name}`);
    const gone = await Watcher.open(server.url, `services/${name}`);
    for (const each of [slow, gone]) await each.event(({ event }) => event === 'snapshot', 'the snapshot');
    slow.stall();
    await gone.close();
    for (let i = 1; i <= 900; i++) await server.http.patch(instancePath(name, i % 2 ? 'a' : 'b'), bulk(i));
    const back = await Watcher.open(server.url, `services/${name}`, { lastEventId: gone.lastEventId! });
    const resync = await back.event(({ event }) => event === 'resync', 'the present');
    expect(resync).toMatchObject({ reason: 'too old' });
    slow.goOn();
    const latest = await back.event(({ event }) => event === 'resync', 'the present');
    await slow.until(() => slow.state.get(`${name}/b`)?.version === latest.instances![1]!.version, 'the present');
    await Promise.all([slow.close(), back.close()]);
  });

  it('is let go after a while', async () => {
    const server = await start({ STREAM_HEARTBEAT: '1' });
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const slow = await Watcher.open(server.url, `services/${name}`);
    const socket = await WebSocketWatcher.open(server.url, `watch/services/${name}`);
    for (const each of [slow, socket]) await each.event(({ event }) => event === 'snapshot', 'the snapshot');
    slow.stall();
    socket.webSocket.pause();
    for (let i = 1; streamsOf(server).size > 0; i++) await server.http.patch(instancePath(name, 'a'), bulk(i));
    slow.goOn();
    socket.webSocket.resume();
    await within(Promise.all([slow.ended, socket.closed]), 'the end of what was sent');
  });
});

describe('a server that stops', () => {
  it('sends everybody elsewhere, and waits for nobody who does not go', async () => {
    const server = await start();
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const [one, stuck] = [await Watcher.open(server.url, 'services'), await Watcher.open(server.url, 'services')];
    const socket = await WebSocketWatcher.open(server.url, 'watch/services');
    for (const each of [one, stuck, socket]) await each.event(({ event }) => event === 'snapshot', 'the snapshot');
    stuck.stall();
    for (let i = 1; i <= 300; i++) await server.http.patch(instancePath(name, 'a'), bulk(i));
    await within(server.stop(), 'the stop', 20_000);
    await within(one.ended, 'the end');
    expect(one.events.at(-1)).toEqual({ event: 'goodbye', reason: 'stopping' });
    expect(await within(socket.closed, 'the end')).toEqual({ code: 1012, reason: 'stopping' });
    expect(socket.events.at(-1)).toEqual({ event: 'goodbye', reason: 'stopping' });
    await stuck.close();
  });

  it('sends those elsewhere too who still come', async () => {
    const server = await start();
    await streamsOf(server).stop();
    const late = await Watcher.open(server.url, 'services');
    await within(late.ended, 'the end');
    expect(late.names()).toEqual(['goodbye']);
  });
});

describe('the number of streams', () => {
  it('is bounded: 503, and later again', async () => {
    const server = await start({ MAX_WAITERS: '2' });
    const open = [
      await Watcher.open(server.url, 'services'),
      await WebSocketWatcher.open(server.url, 'watch/services'),
    ];
    const refused = await server.http.get('/api/v1/watch/services');
    expectProblem(refused, 503, 'BUSY');
    expect(refused.headers['retry-after']).toBe('1');
    await open.pop()!.close();
    await until(() => streamsOf(server).size === 1);
    open.push(await Watcher.open(server.url, 'services'));
    await Promise.all(open.map((each) => each.close()));
  });

  it('is again what it was when a connection ends on which more were asked for', async () => {
    const server = await start();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('GET /api/v1/watch/services HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    await until(() => streamsOf(server).size === 3, 30_000);
    socket.destroy();
    await until(() => streamsOf(server).size === 0, 30_000);
  });
});

describe('a ticket', () => {
  it('opens one stream', async () => {
    const server = await start();
    const issued = await server.http.post<{ ticket: string; expires_in: number }>('/api/v1/watch/tickets');
    expect([issued.status, issued.data.expires_in, issued.headers['cache-control']]).toEqual([201, 30, 'no-store']);
    const path = `services?ticket=${issued.data.ticket}`;
    const watcher = await Watcher.open(server.url, path);
    await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
    for (const used of [path, 'services?ticket=', 'services/x?ticket=nobodys'])
      expectProblem(await server.http.get(`/api/v1/watch/${used}`), 401, 'TICKET_NOT_VALID');
    await watcher.close();
  });
});

describe('watchers hear', () => {
  it('that the registry is away, and back', async () => {
    const server = await start();
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const watcher = await Watcher.open(server.url, `services/${name}`);
    await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
    const backend = server.server.app.get<RegistryBackend>(BACKEND);
    const ping = jest.spyOn(backend, 'ping').mockRejectedValue(new BackendError('UNAVAILABLE', 'gone fishing'));
    // Whoever comes until then has a snapshot made, which is not to be kept for those who come after.
    while (!watcher.names().includes('stale')) {
      const before = await Watcher.open(server.url, `services/${name}`);
      await before.event(({ event }) => event === 'snapshot', 'the snapshot');
      await before.close();
    }
    const stale = await watcher.event(({ event }) => event === 'stale', 'the outage');
    expect(stale).toMatchObject({ source: 'stale', reason: 'gone fishing' });
    const meanwhile = await Watcher.open(server.url, `services/${name}`);
    const snapshot = await meanwhile.event(({ event }) => event === 'snapshot', 'the last known');
    expect([snapshot.source, meanwhile.ids()]).toEqual(['stale', ['a']]);
    ping.mockRestore();
    for (const each of [watcher, meanwhile]) await each.event(({ event }) => event === 'live', 'the return');
    // An outage that two looks in a row find, a second apart, is an alert too: whether it lasted that long is not the point.
    expect(watcher.names().filter((name) => name !== 'alert')).toEqual(['snapshot', 'stale', 'live']);
    await Promise.all([watcher.close(), meanwhile.close()]);
  });

  it('of a critical load, once', async () => {
    const server = await start();
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: {} });
    const [all, filtered, other] = [
      await Watcher.open(server.url, `services/${name}`),
      await Watcher.open(server.url, `services?tags=x`),
      await Watcher.open(server.url, `services?tags=y`),
    ];
    for (const each of [all, filtered, other]) await each.event(({ event }) => event === 'snapshot', 'the snapshot');
    for (const load of [0.9, 0.95])
      await server.http.put(`${instancePath(name, 'a')}/heartbeat`, { load_percentage: load });
    for (const each of [all, filtered]) {
      const alert = await each.event(({ event }) => event === 'alert', 'the alert');
      expect(alert).toMatchObject({ service_name: name, service_id: 'a', load_percentage: 0.9, threshold: 0.8 });
    }
    await server.http.delete(instancePath(name, 'a'));
    for (const each of [all, filtered]) {
      await each.event(({ event }) => event === 'remove', 'the end');
      expect(each.names()).toEqual(['snapshot', 'alert', 'remove']);
    }
    expect(other.names()).toEqual(['snapshot']);
    await Promise.all([all, filtered, other].map((each) => each.close()));
  });
});

describe('an EventSource', () => {
  it('works unchanged, and goes on by itself where it was', async () => {
    const server = await start();
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const source = new EventSource(`${server.url}/api/v1/watch/services/${name}`);
    const told: string[] = [];
    for (const event of ['snapshot', 'upsert', 'remove', 'resync', 'live', 'goodbye']) {
      source.addEventListener(event, (message) => {
        const { instance } = JSON.parse((message as Event & { data: string }).data) as WatchEvent;
        told.push([event, instance?.service_id].join(' ').trim());
      });
    }
    await until(() => told.length === 1, 30_000);
    await register(server.http, { service_name: name, id: 'b' });
    await until(() => told.length === 2, 30_000);
    const opens = new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
    // As a break in the network would have it.
    server.server.app.getHttpServer().closeAllConnections();
    await register(server.http, { service_name: name, id: 'c' });
    await within(opens, 'another connection');
    await until(() => told.length === 4, 30_000);
    // Whether it is back before the news or after it.
    expect([...told.slice(0, 2), ...told.slice(2).sort()]).toEqual(['snapshot', 'upsert b', 'live', 'upsert c']);
    source.close();
  });
});
