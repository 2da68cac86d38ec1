import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { body, fresh, instancePath, register } from '../support/instances.js';
import type { Method } from '../support/http-client.js';
import { expectProblem } from '../support/problems.js';
import { hangUp, sendRaw } from '../support/raw.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await register(server.http, { service_name: 'x', id: 'a' });
});
afterAll(() => server.stop());

const MIB = 1_024 * 1_024;

describe('size', () => {
  it('of the body is bounded: 413, whether it is announced or not', async () => {
    const big = JSON.stringify(body({ ignored: 'x'.repeat(5 * MIB) }));
    // Again and again: nobody is cut before having read the answer.
    for (let i = 0; i < 20; i++) {
      expectProblem(await server.http.post('/api/v1/services', big), 413, 'BODY_TOO_LARGE');
    }
    const chunk = 'x'.repeat(MIB);
    const chunked = [
      'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      ...Array.from({ length: 5 }, () => `${MIB.toString(16)}\r\n${chunk}\r\n`),
      '0\r\n\r\n',
    ];
    expectProblem(await sendRaw(server.url, chunked.join('')), 413, 'BODY_TOO_LARGE');
    expect((await server.http.post('/api/v1/services', body({ ignored: 'x'.repeat(3 * MIB) }))).status).toBe(201);
  });

  it('of headers is bounded: 431', async () => {
    expectProblem(
      await server.http.get('/api/v1/services', { 'x-long': 'x'.repeat(17_000) }),
      431,
      'HEADERS_TOO_LARGE',
    );
    expectProblem(await server.http.get(`/api/v1/services?tags=${'x'.repeat(17_000)}`), 431, 'HEADERS_TOO_LARGE');
  });
});

it('a tunnel is refused', async () => {
  const problem = await sendRaw(server.url, 'CONNECT example.test:443 HTTP/1.1\r\nHost: example.test\r\n\r\n');
  expectProblem(problem, 405, 'METHOD_NOT_ALLOWED');
});

describe('content types', () => {
  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'nonsense',
    'application/json-patch+json',
  ])('%s is 415', async (type) => {
    const headers = { 'content-type': type };
    expectProblem(await server.http.post('/api/v1/services', '{}', headers), 415, 'UNSUPPORTED_MEDIA_TYPE');
    expectProblem(await server.http.put('/api/v1/services/x/instances/a/heartbeat', '{}', headers), 415);
  });

  it('application/merge-patch+json is what PATCH takes too, and nothing else', async () => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const { service_name: name, service_id: id } = await register(server.http, { service_name: fresh() });
    expect((await server.http.send('PATCH', instancePath(name, id), { body: '{"weight":7}', headers })).status).toBe(
      200,
    );
    expectProblem(await server.http.post('/api/v1/services', '{}', headers), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('none at all with a body is 415', async () => {
    expectProblem(await server.http.post('/api/v1/services', '{}', { 'content-type': '' }), 415);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON'])('%s is JSON', async (type) => {
    const answer = await server.http.post('/api/v1/services', body({ service_name: fresh() }), {
      'content-type': type,
    });
    expect(answer.status).toBe(201);
  });

  it('of a body that is encoded is 415: what we cannot read must not pass', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const answer = await server.http.post('/api/v1/services', gzipSync(JSON.stringify(body())), headers);
    expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    const plain = await server.http.post('/api/v1/services', body(), { 'content-encoding': 'identity' });
    expect(plain.status).toBe(201);
  });

  it.each(['text/html', 'application/xml, text/plain;q=0.5', 'application/json;q=0', 'image/*'])(
    'Accept: %s is 406',
    async (accept) => {
      expectProblem(await server.http.get('/api/v1/services', { accept }), 406, 'NOT_ACCEPTABLE');
      // Before anything has happened.
      const name = fresh();
      expectProblem(await server.http.post('/api/v1/services', body({ service_name: name }), { accept }), 406);
      expectProblem(await server.http.get(`/api/v1/services/${name}`), 404);
    },
  );

  it.each(['*/*', 'application/*', 'application/json', 'text/html, */*;q=0.1', 'application/problem+json', ''])(
    'Accept: %s is served',
    async (accept) => {
      expect((await server.http.get('/api/v1/services', { accept })).status).toBe(200);
    },
  );
});

describe('methods', () => {
  it.each<[Method, string, string]>([
    ['PUT', '/api/v1/services', 'GET, HEAD, POST'],
    ['DELETE', '/api/v1/services', 'GET, HEAD, POST'],
    ['PATCH', '/api/v1/services/x', 'GET, HEAD'],
    ['POST', '/api/v1/services/x/instances/a', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/api/v1/services/x/instances/a/heartbeat', 'PUT'],
    ['POST', '/api/v1/services/x/instances/a/maintenance', 'DELETE, PUT'],
    ['GET', '/api/v1/deregister/a', 'DELETE'],
    ['GET', '/api/v1/register', 'POST'],
    ['DELETE', '/api/v1/health/x', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/services', 'GET, HEAD, POST'],
    ['TRACE', '/api/v1/services', 'GET, HEAD, POST'],
  ])('%s %s is 405 with what is allowed', async (method, path, allow) => {
    const answer = await server.http.send(method, path);
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toBe(allow);
  });

  it('that HTTP knows and we do not take: 405 or 404, never 5xx', async () => {
    for (const method of ['PROPFIND', 'LOCK', 'SEARCH', 'PURGE', 'M-SEARCH']) {
      const answer = await sendRaw(
        server.url,
        `${method} /api/v1/services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expectProblem(answer, answer.status);
      expect([404, 405]).toContain(answer.status);
    }
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['rubbish', 'rubbish\r\n\r\n'],
    ['bytes', Buffer.from([0, 1, 2, 255, 13, 10, 13, 10])],
    ['a handshake of TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a method of nobody', 'BREW /coffee HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost x\r\n\r\n'],
    ['a bad header name', 'GET / HTTP/1.1\r\nHo st: x\r\n\r\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n'],
    ['two lengths', 'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    [
      'a length and chunks',
      'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    ],
    ['a length that is none', 'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}'],
    [
      'bad chunks',
      'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['a version of nobody', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ])('%s: 400 in the same form', async (_, bytes) => {
    expectProblem(await sendRaw(server.url, bytes), 400);
    expect((await server.http.get('/health/live')).status).toBe(200);
  });

  it('absolute and odd targets are answered, never with 5xx', async () => {
    for (const target of [
      'http://elsewhere/api/v1/services',
      '//elsewhere/',
      '/%',
      '/\\',
      '/?%',
      '/api/v1/services?%zz=%',
      '/api/v1/services?&&==',
    ]) {
      const answer = await sendRaw(server.url, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer.status).toBeGreaterThanOrEqual(200);
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expectProblem(answer, answer.status);
    }
  });

  it('a request that is cut off in the middle leaves the server well', async () => {
    const head =
      'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';
    for (const beginning of ['POST /api', head, `${head}\r\n{"na`]) await hangUp(server.url, beginning);
    expect((await server.http.get('/health/live')).status).toBe(200);
  });

  it('an expectation that nobody knows is passed over', async () => {
    const request = 'GET /api/v1/services HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(server.url, request)).status).toBe(200);
  });

  it('the whole server is no target: 404', async () => {
    const asterisk = await sendRaw(server.url, 'GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expectProblem(asterisk, 404, 'NO_SUCH_ROUTE');
  });

  it('HTTP/1.0 needs no Host', async () => {
    expect((await sendRaw(server.url, 'GET /api/v1/services HTTP/1.0\r\n\r\n')).status).toBe(200);
  });
});
