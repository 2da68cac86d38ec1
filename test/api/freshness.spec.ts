import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { BackendError, type RegistryBackend } from '#core';
import { BACKEND } from '../../apps/server/src/tokens.js';
import { fresh, instancePath, register, registerAll } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());
afterEach(() => {
  jest.restoreAllMocks();
});

const READS = [
  '/api/v1/services',
  '/api/v1/services?include=instances',
  '/api/v1/services/x',
  '/api/v1/services/x/instances',
  '/api/v1/services/x/instances/a',
  '/api/v1/health/x',
  '/api/v1/health/a?service=x',
  '/api/v1/health/x/checks',
];

/** Of which the instances are no part. */
const OTHERS = ['/api/v1/metrics/services', '/api/v1/metrics/instances', '/api/v1/capabilities'];

function next(revision: string, by = 1): string {
  const [epoch, number] = revision.split('.');
  return `${epoch}.${Number(number) + by}`;
}

describe('every read', () => {
  beforeAll(() => registerAll(server.http, 'x', { a: { health_check: { type: 'ttl' } }, b: {} }));

  it.each([...READS, ...OTHERS])('%s says how fresh it is', async (path) => {
    const { headers } = await server.http.get(path);
    expect(headers).toMatchObject({
      etag: expect.stringMatching(/^"[\w-]+"$/),
      'x-registry-revision': expect.stringMatching(/^[0-9a-f]+\.\d+$/),
      'x-registry-age': '0',
      'x-registry-source': 'live',
    });
    expect(headers).not.toHaveProperty('x-registry-held');
  });

  it.each([...READS, ...OTHERS])('%s is 304 for whoever has it', async (path) => {
    const { etag, revision } = await server.http.get(path);
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, `W/"other",W/${etag}`, '*']) {
      const answer = await server.http.get(path, { 'if-none-match': condition });
      expect([answer.status, answer.text, answer.etag, answer.revision]).toEqual([304, '', etag, revision]);
    }
    for (const condition of ['"other"', etag.slice(1, -1), etag.toUpperCase(), '']) {
      const answer = await server.http.get(path, { 'if-none-match': condition });
      expect([answer.status, answer.etag]).toEqual([200, etag]);
    }
  });

  it.each(READS)('%s has another ETag after a change, and the old one back with the old content', async (path) => {
    const { etag } = await server.http.get(path);
    await server.http.put(`${instancePath('x', 'a')}/heartbeat`, { status: 'warning' });
    expect((await server.http.get(path, { 'if-none-match': etag })).status).toBe(200);
    await server.http.put(`${instancePath('x', 'a')}/heartbeat`, { status: 'passing' });
    // The version of the instance is content where it is shown.
    const shown = /instances|\/x$/.test(path) && !path.includes('health');
    expect((await server.http.get(path, { 'if-none-match': etag })).status).toBe(shown ? 200 : 304);
  });

  it('HEAD is GET without a body', async () => {
    const get = await server.http.get('/api/v1/services/x');
    const head = await server.http.send('HEAD', '/api/v1/services/x');
    expect([head.status, head.text, head.etag]).toEqual([200, '', get.etag]);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
  });

  it('of something that is not there says at which revision it was not', async () => {
    const answer = await server.http.get('/api/v1/services/nobody');
    expectProblem(answer, 404);
    expect(answer.revision).not.toBe('');
  });
});

describe('a write', () => {
  it('says the revision that holds it: another service’s change moves it on by one', async () => {
    const first = await server.http.post('/api/v1/services', { name: fresh(), host: '127.0.0.1', port: 1 });
    const second = await server.http.post('/api/v1/services', { name: fresh(), host: '127.0.0.1', port: 1 });
    expect(second.revision).toBe(next(first.revision));
    expect(second.headers).toMatchObject({ 'x-registry-age': '0', 'x-registry-source': 'live' });
  });
});

describe('min_revision', () => {
  it('that is reached already is answered at once', async () => {
    const { revision } = await server.http.get('/api/v1/services');
    const answer = await server.http.get(`/api/v1/services?min_revision=${revision}`);
    expect([answer.status, answer.revision]).toEqual([200, revision]);
    expect((await server.http.get('/api/v1/services?min_revision=0')).status).toBe(200);
  });

  it('that is to come is waited for', async () => {
    const name = fresh();
    const { revision } = await server.http.get('/api/v1/services');
    const waiting = server.http.get(`/api/v1/services?min_revision=${next(revision)}`);
    await register(server.http, { service_name: name });
    const answer = await waiting;
    expect(answer.revision).toBe(next(revision));
    expect(answer.text).toContain(name);
  });

  it('that does not come is 503 after a while, on a pick too', async () => {
    const { revision } = await server.http.get('/api/v1/services');
    const paths = ['/api/v1/services?', '/api/v1/services/x/instance?', '/api/v1/health/x?'];
    const answers = await Promise.all(
      paths.map((path) => server.http.get(`${path}min_revision=${next(revision, 50)}`)),
    );
    for (const answer of answers) {
      expectProblem(answer, 503, 'REVISION_NOT_REACHED');
      expect(answer.headers['retry-after']).toBe('1');
    }
  });

  /** The registry, as one that other replicas write to as well. */
  function sharedRegistry(): RegistryBackend {
    const backend = server.server.app.get<RegistryBackend>(BACKEND);
    const capabilities = { ...backend.capabilities, replicas: true };
    jest.spyOn(backend, 'capabilities', 'get').mockReturnValue(capabilities);
    return backend;
  }

  it('of another replica is answered after one read of the registry', async () => {
    const list = jest.spyOn(sharedRegistry(), 'list');
    const answer = await server.http.get('/api/v1/services?min_revision=abcdef.7');
    expect(answer.status).toBe(200);
    expect(list).toHaveBeenCalled();
  });

  it('of another replica is 503 when the registry does not answer', async () => {
    const away = new BackendError('UNAVAILABLE', 'away');
    jest.spyOn(sharedRegistry(), 'list').mockRejectedValue(away);
    expectProblem(await server.http.get('/api/v1/services?min_revision=abcdef.7'), 503, 'REVISION_NOT_REACHED');
  });

  it.each(['-1', 'x', 'abc', 'abc.', '.1', 'abc.1.2', 'ABC.1', '1e3'])('%p is refused', async (revision) => {
    expectBadInput(await server.http.get(`/api/v1/services?min_revision=${revision}`), 'min_revision');
  });
});
