import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { HttpClient } from '../support/http-client.js';
import { fresh, instancePath, register } from '../support/instances.js';
import { endProcesses, ServerProcess, ServiceProcess, TEST_MS } from '../support/process.js';
import { sendRaw } from '../support/raw.js';

const MADE = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

let server: ServerProcess;
let http: HttpClient;
beforeAll(async () => {
  server = await ServerProcess.start({ LOG_REQUESTS: 'true' });
  http = new HttpClient(server.url);
}, TEST_MS);
afterAll(async () => {
  await http.close();
  await endProcesses();
});

async function idOf(path: string, id?: string): Promise<string | undefined> {
  const { headers } = await http.get(path, id === undefined ? {} : { 'x-request-id': id });
  return headers['x-request-id'];
}

describe('the id of a request', () => {
  it('is that of whoever asks, on every kind of answer', async () => {
    const service_name = fresh();
    await register(http, { service_name });
    const path = `/api/v1/services/${service_name}`;
    // The second is answered from what the first has left behind.
    for (const each of [path, path, `${path}/instances`, '/api/v1/services/nobody', '/nowhere', '/health/live']) {
      expect(await idOf(each, 'trace/42:a@b.c+d=')).toBe('trace/42:a@b.c+d=');
    }
    const notModified = await http.get(path, { 'if-none-match': (await http.get(path)).etag, 'x-request-id': 'twice' });
    expect(notModified).toMatchObject({ status: 304, headers: { 'x-request-id': 'twice' } });
  });

  it.each(['', 'a b', 'x'.repeat(129), '"quoted"', 'a,b', 'ümlaut'])(
    'is one of our own where nobody could do with theirs: %j',
    async (id) => {
      expect(await idOf('/api/v1/services', id)).toMatch(MADE);
    },
  );

  it('is another one for each who gives none', async () => {
    const [one, other] = [await idOf('/api/v1/services'), await idOf('/api/v1/services')];
    expect([one, other]).toEqual([expect.stringMatching(MADE), expect.stringMatching(MADE)]);
    expect(one).not.toBe(other);
  });

  it('is on answers that no handler makes', async () => {
    const raw = (head: string) => sendRaw(server.url, `${head}\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n`);
    expect((await raw('GET /api/v1/services/%zz HTTP/1.1\r\nHost: x')).headers).toMatchObject({
      'x-request-id': 'mine',
    });
    expect((await raw('GET /api/v1/services HTTP/1.1')).headers).toMatchObject({ 'x-request-id': 'mine' });
  });

  it('is on streams', async () => {
    const cut = new AbortController();
    const stream = await fetch(`${server.url}/api/v1/watch/services`, { signal: cut.signal });
    expect(stream.headers.get('x-request-id')).toMatch(MADE);
    cut.abort();
    const webSocket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/watch/services`);
    const [{ headers }] = (await once(webSocket, 'upgrade')) as [{ headers: Record<string, string> }];
    expect(headers['x-request-id']).toMatch(MADE);
    webSocket.terminate();
  });
});

describe('lines of the log', () => {
  it('say which request they come from', async () => {
    const service_name = fresh();
    const body = { service_name, address: '127.0.0.1', port: 1 };
    await http.post('/api/v1/services', body, { 'x-request-id': `${service_name}-registers` });
    const registered = await server.logged((line) => line.serviceName === service_name, 'its registration');
    expect(registered).toMatchObject({ msg: 'instance registered', request_id: `${service_name}-registers` });
    await http.get(`/api/v1/services/${service_name}`, { 'x-request-id': `${service_name}-reads` });
    const read = await server.logged((line) => line.request_id === `${service_name}-reads`, 'the line of its read');
    expect(read).toMatchObject({ msg: 'request', status: 200 });
  });

  it(
    'of what happens by itself say nothing of the request that has set it going',
    async () => {
      const service = await ServiceProcess.start();
      await service.answer({ status: 503 });
      const service_name = fresh();
      await register(http, { service_name, id: 'a', port: service.port, health_check: { type: 'http', interval: 1 } });
      const found = ({ serviceName, cause }: Record<string, unknown>) =>
        serviceName === service_name && cause === 'status';
      const line = await server.logged(found, 'what the probe has found');
      expect(line).toMatchObject({ actor: 'health-monitor' });
      expect(line).not.toHaveProperty('request_id');
      await http.delete(instancePath(service_name, 'a'));
    },
    TEST_MS,
  );
});
