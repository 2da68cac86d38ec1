import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket as StandardWebSocket } from 'undici';
import { WebSocket, type ClientOptions } from 'ws';
import { fresh, instancePath, register, registerAll } from '../support/instances.js';
import { Answer } from '../support/http-client.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { within } from '../support/process.js';
import { sendRaw } from '../support/raw.js';
import { TestServer } from '../support/server.js';
import type { WatchEvent } from '../support/told.js';
import { Watcher } from '../support/watcher.js';
import { WebSocketWatcher } from '../support/web-socket-watcher.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const watchers: WebSocketWatcher[] = [];
afterEach(() => Promise.all(watchers.splice(0).map((watcher) => watcher.close())));

async function watch(path: string, options?: ClientOptions): Promise<WebSocketWatcher> {
  const watcher = await WebSocketWatcher.open(server.url, `watch/${path}`, options);
  watchers.push(watcher);
  return watcher;
}

/** What whoever asks for a WebSocket is told instead. */
async function refusal(path: string, options: ClientOptions = {}): Promise<Answer> {
  const webSocket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/${path}`, options);
  webSocket.on('error', () => undefined);
  const [, response] = (await within(once(webSocket, 'unexpected-response'), 'a refusal')) as [
    unknown,
    IncomingMessage,
  ];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return new Answer(response.statusCode!, response.headers as Record<string, string>, text);
}

describe('a WebSocket', () => {
  it('tells the same as an event stream, a message each', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const [one, other] = [await watch(`services/${name}`), await Watcher.open(server.url, `services/${name}`)];
    await register(server.http, { service_name: name, id: 'b' });
    await server.http.delete(instancePath(name, 'a'));
    for (const each of [one, other]) await each.until(() => each.ids().join() === 'b', 'the end of a');
    expect(one.events).toEqual(other.events);
    await other.close();
  });

  it('goes on from a revision', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const { revision } = await server.http.get('/api/v1/services');
    await registerAll(server.http, name, { b: {}, c: {} });
    const again = await watch(`services/${name}?since=${revision}`);
    await again.event(({ event }) => event === 'live', 'the present');
    expect(again.names()).toEqual(['upsert', 'upsert', 'live']);
    const strange = await watch(`services/${name}?since=abcdef.1`);
    await strange.event(({ event }) => event === 'resync', 'the present');
    expect(strange.ids()).toEqual(['a', 'b', 'c']);
  });

  it('works with the WebSocket of browsers and of Node', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const webSocket = new StandardWebSocket(`${server.url.replace('http', 'ws')}/api/v1/watch/services/${name}`);
    const told = new Promise<WatchEvent>((resolve) => {
      webSocket.addEventListener('message', ({ data }) => resolve(JSON.parse(data as string) as WatchEvent), {
        once: true,
      });
    });
    expect(await within(told, 'the snapshot')).toMatchObject({ event: 'snapshot', instances: [{ service_id: 'a' }] });
    const closed = new Promise((resolve) => webSocket.addEventListener('close', resolve, { once: true }));
    webSocket.close();
    await within(closed, 'the end');
  });

  it('hears nothing of what is said to it, and no long speeches', async () => {
    const watcher = await watch('services');
    watcher.webSocket.send('hello');
    const pong = once(watcher.webSocket, 'pong');
    watcher.webSocket.ping();
    await within(pong, 'a pong');
    watcher.webSocket.send('x'.repeat(2_000));
    expect((await within(watcher.closed, 'the end')).code).toBe(1009);
  });

  it('is not compressed', async () => {
    const watcher = await watch('services', { perMessageDeflate: true });
    expect(watcher.webSocket.extensions).toBe('');
  });
});

describe('before there is one', () => {
  it('errors are those of every request', async () => {
    expectBadInput(await refusal('watch/services?healthy=1'), 'healthy');
    expectProblem(await refusal('watch/services/..%2f'), 400);
    expectProblem(await refusal('watch/services?ticket=nobodys'), 401, 'TICKET_NOT_VALID');
    expectProblem(await refusal('watch/nothing'), 404, 'NO_SUCH_ROUTE');
    expectProblem(await refusal('watch/tickets'), 405);
    const path = '/api/v1/watch/services';
    const handshake = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    for (const rest of ['', 'Sec-WebSocket-Version: 13\r\n', 'Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: x\r\n'])
      expectProblem(await sendRaw(server.url, `${handshake}${rest}\r\n`), 400, 'INVALID_REQUEST');
  });

  it('other routes answer as ever', async () => {
    expect((await refusal('services')).status).toBe(200);
  });

  it('a page of another origin is refused, unless it has a ticket', async () => {
    for (const origin of ['https://elsewhere.test', 'null', server.url.replace('127.0.0.1', 'localhost')])
      expectProblem(await refusal('watch/services', { origin }), 403, 'ORIGIN_NOT_ALLOWED');
    await watch('services', { origin: server.url });
    const { data } = await server.http.post<{ ticket: string }>('/api/v1/watch/tickets');
    await watch(`services?ticket=${data.ticket}`, { origin: 'https://elsewhere.test' });
  });

  it('a caller that leaves in the middle harms nobody', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(
        'GET /api/v1/watch/services HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    expect((await server.http.get('/health/live')).status).toBe(200);
  });
});

describe('an upgrade behind a request that waits for its answer', () => {
  it.each(['websocket', 'h2c'])('to %s ends that connection, and nothing else', async (protocol) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
    const closed = once(socket, 'close');
    const upgrade = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
    socket.write('GET /api/v1/services/nobody?index=1&wait=60s HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.write(`GET /api/v1/watch/services HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    await within(closed, 'the end of the connection');
    expect((await server.http.get('/health/live')).status).toBe(200);
  });
});

describe('other upgrades', () => {
  const upgrade = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  const offer = `Connection: Upgrade, HTTP2-Settings\r\n${upgrade}`;
  const lastOffer = `Connection: close, Upgrade, HTTP2-Settings\r\n${upgrade}`;

  it('are passed over: HTTP/2 is offered by clients that go on without', async () => {
    const name = fresh();
    const body = JSON.stringify({ service_name: name, id: 'a', address: '127.0.0.1', port: 1 });
    const head = `POST /api/v1/services HTTP/1.1\r\nHost: x\r\n${lastOffer}Content-Type: application/json\r\n`;
    const answer = await sendRaw(server.url, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(answer.status).toBe(201);
    const read = await sendRaw(server.url, `GET /api/v1/services/${name} HTTP/1.1\r\nHost: x\r\n${lastOffer}\r\n`);
    expect(read.status).toBe(200);
  });

  it('also when the body comes late, and when another request follows', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8');
    await once(socket, 'connect');
    const head = `PUT /api/v1/services/x/instances/a/heartbeat HTTP/1.1\r\nHost: x\r\n${offer}`;
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n`);
    await server.http.get('/health/live');
    socket.write('{}');
    const answers: string[] = [];
    for (let asked = 1; answers.length < 2;) {
      const [text] = (await within(once(socket, 'data'), 'an answer')) as [string];
      answers.push(...text.split(/^(?=HTTP\/1\.1)/m).filter((part) => part.startsWith('HTTP/1.1')));
      if (answers.length === asked && asked === 1) {
        asked++;
        socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n`);
      }
    }
    expect(answers.map((text) => text.slice(9, 12))).toEqual(['404', '200']);
    socket.destroy();
  });
});
