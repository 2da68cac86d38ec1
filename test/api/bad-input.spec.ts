import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { body, fresh, instancePath, register } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await register(server.http, { service_name: 'x', id: 'a' });
});
afterAll(() => server.stop());
// Whatever was refused, the server is as well as before.
afterEach(async () => {
  expect((await server.http.get('/health')).status).toBe(200);
  expect((await server.http.get('/api/v1/services/x/instances/a')).status).toBe(200);
});

const REGISTER = '/api/v1/services';

describe('a body that is no JSON that we take', () => {
  it.each([
    ['cut off', '{"service_name": "api"'],
    ['two values', '{} {}'],
    ['a trailing comma', '{"port": 1,}'],
    ['single quotes', "{'port': 1}"],
    ['NaN', '{"port": NaN}'],
    ['a comment', '{"port": 1 /* here */}'],
    ['white space alone', '   '],
    ['a form', 'service_name=api&port=1'],
    ['a NUL', '{"service_name": "a\u0000"}'],
    ['__proto__', '{"service_name":"api","address":"127.0.0.1","port":1,"__proto__":{"admin":true}}'],
    ['__proto__ further down', '{"metadata":{"__proto__":{"admin":"true"}}}'],
    ['__proto__ escaped', '{"metadata":{"\\u005f_proto__":"x"}}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"admin":true}}}'],
    ['cut brackets', '['.repeat(100_000)],
  ])('%s: 400', async (_, text) => {
    expectProblem(await server.http.post(REGISTER, text), 400, 'MALFORMED_JSON');
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it('no UTF-8: 400, and nothing is kept in its place', async () => {
    const bytes = Buffer.from(JSON.stringify(body({ tags: ['a?'] })).replace('?', '\u00ff'), 'latin1');
    expectProblem(await server.http.post(REGISTER, bytes), 400, 'MALFORMED_JSON');
  });

  it.each([['null'], ['[]'], ['7'], ['"text"'], ['true'], ['']])('%s is none of ours: 400', async (text) => {
    expectProblem(await server.http.post(REGISTER, text), 400, 'INVALID_REQUEST');
  });

  it('very deep: 400, and no crash', async () => {
    const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    for (const depth of [16, 100, 10_000, 200_000]) {
      const ignored = `{"service_name":"${fresh()}","address":"127.0.0.1","port":1,"ignored":${deep(depth)}}`;
      expectBadInput(await server.http.post(REGISTER, ignored), `ignored${'.a'.repeat(15)}`);
    }
    const batch = await server.http.post(`${REGISTER}/batch`, `${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expectProblem(batch, 400, 'INVALID_REQUEST');
  });

  it.each([
    ['tags', `{"tags":[${'"",'.repeat(1_000_000)}""]}`],
    ['metadata', `{"metadata":{${Array.from({ length: 100_000 }, (_, i) => `"${i}":1`).join()}}}`],
    ['', `[${`[${'[],'.repeat(999)}[]],`.repeat(999)}[]]`],
  ])('with more in "%s" than a batch could hold: 400, told once', async (path, text) => {
    const answer = await server.http.post(REGISTER, text);
    expectBadInput(answer, path);
    expect(answer.text.length).toBeLessThan(1_000);
  });
});

describe('a field', () => {
  const long = 'x'.repeat(10_240);
  it.each([
    ['service_name', { service_name: '' }],
    ['service_name', { service_name: 7 }],
    ['service_name', { service_name: ['api'] }],
    ['service_name', { service_name: 'a/b' }],
    ['service_name', { service_name: '..' }],
    ['service_name', { service_name: '.' }],
    ['service_name', { service_name: 'a b' }],
    ['service_name', { service_name: 'naïve' }],
    ['service_name', { service_name: 'a\u0000b' }],
    ['service_name', { service_name: 'x'.repeat(101) }],
    ['id', { id: '' }],
    ['id', { id: 7 }],
    ['id', { id: 'a/b' }],
    ['id', { id: '..' }],
    ['id', { id: 'a\u0000b' }],
    ['id', { id: 'a\nb' }],
    ['id', { id: '\ud800' }],
    ['id', { id: 'x'.repeat(256) }],
    ['id', { id: long }],
    ['address', { address: '' }],
    ['address', { address: 'not a host' }],
    ['address', { address: 'http://127.0.0.1' }],
    ['address', { address: '127.0.0.1:80' }],
    ['address', { address: '999.1.1.1' }],
    ['address', { address: 'fe80::1%eth0' }],
    ['address', { address: `${'a'.repeat(64)}.example` }],
    ['port', { port: undefined }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: -1 }],
    ['port', { port: 80.5 }],
    ['port', { port: '80' }],
    ['tags', { tags: 'api' }],
    ['tags', { tags: { 0: 'api' } }],
    ['tags.1', { tags: ['ok', 7] }],
    ['tags.0', { tags: ['x'.repeat(101)] }],
    ['tags', { tags: Array.from({ length: 61 }, (_, i) => `t${i}`) }],
    ['metadata', { metadata: [] }],
    ['metadata', { metadata: 'k=v' }],
    ['metadata.k', { metadata: { k: { nested: 1 } } }],
    ['metadata.k', { metadata: { k: ['v'] } }],
    ['metadata.k', { metadata: { k: null } }],
    ['metadata.k', { metadata: { k: 'ü'.repeat(257) } }],
    ['metadata.', { metadata: { '': 'v' } }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`k${i}`, 'v'])) }],
    ['weight', { weight: -1 }],
    ['weight', { weight: '5' }],
    ['status', { status: 'up' }],
    ['ttl', { ttl: true }],
    ['ttl', { ttl: '10 seconds' }],
    ['ttl', { ttl: '1s1m' }],
    ['ttl', { ttl: '' }],
    ['ttl', { ttl: '-10s' }],
    ['ttl', { ttl: 1e300 }],
    ['ttl', { ttl: '9'.repeat(400) }],
    ['protocol', { protocol: 'http://' }],
    ['path', { path: '/a b' }],
    ['enable_tag_override', { enable_tag_override: 'true' }],
    ['health_check', { health_check: 'http' }],
    ['health_check', { health_check: [] }],
    ['health_check.interval', { health_check: { type: 'http', interval: 'often' } }],
    ['health_check.url', { health_check: { type: 'http', url: 'javascript:alert(1)' } }],
    ['health_check.url', { health_check: { type: 'http', url: 'http://user:pass@127.0.0.1' } }],
    ['health_check.type', { health_check: { type: '__proto__' } }],
  ])('%s of %j is refused by name', async (path, over) => {
    const answer = await server.http.post(REGISTER, body({ service_name: 'x', ...over }));
    const places = expectProblem(answer, 400, 'INVALID_REQUEST').errors!.map((each) => each.path);
    expect(places.some((place) => place === path || place.startsWith(`${path}.`))).toBe(true);
    // An answer never echoes what is too long.
    expect(answer.text.length).toBeLessThan(20_000);
  });

  it('names every wrong one at once, up to a bound', async () => {
    const { errors } = expectProblem(await server.http.post(REGISTER, { name: '', port: 0, tags: 7, weight: -1 }), 400);
    expect(errors!.map(({ path }) => path)).toEqual(expect.arrayContaining(['name', 'port', 'tags', 'weight']));
    const many = await server.http.post(REGISTER, body({ tags: Array.from({ length: 5_000 }, () => 7) }));
    expect(expectProblem(many, 400).errors!.length).toBeLessThanOrEqual(50);
  });

  it('keeps metadata whose key is the name of something in JavaScript', async () => {
    const metadata = { constructor: 'a', prototype: 'b', toString: 'c', hasOwnProperty: 'd', valueOf: 'e' };
    const written = await register(server.http, { service_name: fresh(), id: 'a', metadata });
    expect(written.metadata).toEqual(metadata);
    const path = instancePath(written.service_name, 'a');
    const patched = await server.http.patch<{ metadata: object }>(path, {
      metadata: { constructor: null, valueOf: 'f' },
    });
    expect(patched.data.metadata).toEqual({ prototype: 'b', toString: 'c', hasOwnProperty: 'd', valueOf: 'f' });
  });
});

describe('a path', () => {
  it.each([
    ['name', '/api/v1/services/a%2Fb'],
    ['name', '/api/v1/services/%2e%2e'],
    ['name', '/api/v1/services/a%00b'],
    ['name', '/api/v1/services/a%20b/instances'],
    ['name', `/api/v1/services/${'x'.repeat(101)}`],
    ['id', '/api/v1/services/x/instances/a%2Fb'],
    ['id', '/api/v1/services/x/instances/%2e%2e'],
    ['id', '/api/v1/services/x/instances/a%00b'],
    ['id', '/api/v1/services/x/instances/a%0Ab'],
    ['id', `/api/v1/services/x/instances/${'x'.repeat(256)}`],
  ])('whose %s is no such thing: %s', async (place, path) => {
    expectBadInput(await server.http.get(path), place);
  });

  it.each([
    '/api/v1/services/%',
    '/api/v1/services/%zz',
    '/api/v1/services/%c3%28',
    '/api/v1/services/x/instances/%ff',
  ])('%s cannot be decoded: 400', async (path) => {
    expectProblem(await server.http.get(path), 400);
  });

  it('that is too long: 414', async () => {
    const id = 'x'.repeat(10_240);
    expectProblem(await server.http.get(`/api/v1/services/x/instances/${id}`), 414);
    expectProblem(await server.http.put(`/api/v1/services/x/instances/${id}/heartbeat`, {}), 414);
    expectProblem(await server.http.delete(`/api/v1/deregister/${id}`), 414);
    expectProblem(await server.http.get(`/api/v1/health/${id}`), 414);
  });

  it.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v1/nothing',
    '/api/v1/services/x/y',
    '/api/v1/services/x/instances/a/b',
    '/api/v2/services',
    '/..',
    '/api/v1/../v1/services',
    '//',
    '/api/v1/services/../../../etc/passwd',
    '/favicon.ico',
  ])('%s is nothing: 404', async (path) => {
    expectProblem(await server.http.get(path), 404, 'NO_SUCH_ROUTE');
  });
});
