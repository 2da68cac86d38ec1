import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '#core';
import { fresh } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

interface Resolved {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly { readonly layer: string; readonly version: number }[];
  readonly sources: Readonly<Record<string, string>>;
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const pathOf = (name: string) => `/api/v1/config/${name}`;
const put = (path: string, body: unknown, headers?: Record<string, string>) => server.http.put(path, body, headers);
const resolved = (path: string, environment: string, headers?: Record<string, string>) =>
  server.http.get<Resolved>(`${path}?environment=${environment}&resolved=1`, headers);

describe('layers', () => {
  it('are merged, with where each value is from', async () => {
    const [path, environment] = [pathOf(fresh()), fresh()];
    await put('/api/v1/config/*?environment=*', { log: 'info', db: { host: 'a', port: 1 } });
    await put(`/api/v1/config/*?environment=${environment}`, { db: { host: 'b' }, list: [1, 2] });
    await put(`${path}?environment=${environment}`, { db: { port: null, user: 'u' }, list: [3] });
    const answer = await resolved(path, environment);
    expect(answer.data).toEqual({
      service_name: path.split('/').at(-1),
      environment,
      config: { log: 'info', db: { host: 'b', user: 'u' }, list: [3] },
      layers: [
        { layer: 'base', version: expect.any(Number) },
        { layer: 'environment', version: 1 },
        { layer: 'service', version: 1 },
      ],
      sources: { '/log': 'base', '/db/host': 'environment', '/db/user': 'service', '/list': 'service' },
    });
    expect((await resolved(path, environment, { 'if-none-match': answer.etag })).status).toBe(304);
    await put('/api/v1/config/*?environment=*', { log: 'debug' });
    const after = await resolved(path, environment, { 'if-none-match': answer.etag });
    expect(after.data.config).toEqual({ log: 'debug', db: { host: 'b', user: 'u' }, list: [3] });
    expect((await server.http.get<Resolved>(`${path}?environment=${environment}`)).data.config).toEqual({
      db: { port: null, user: 'u' },
      list: [3],
    });

    await server.http.delete(`${path}?environment=${environment}`);
    expect((await resolved(path, environment)).data.layers.map(({ layer }) => layer)).toEqual(['base', 'environment']);
    expect((await resolved('/api/v1/config/*', environment)).data.config).toEqual({
      log: 'debug',
      db: { host: 'b' },
      list: [1, 2],
    });
    await server.http.delete('/api/v1/config/*?environment=*');
    expectProblem(await resolved(path, fresh()), 404, 'CONFIG_NOT_FOUND');
  });

  it('have no version together', async () => {
    expectBadInput(await server.http.get(`${pathOf('x')}?resolved=1&version=1`), 'version');
  });
});

const SCHEMA = {
  type: 'object',
  required: ['port'],
  additionalProperties: false,
  properties: {
    port: { type: 'integer', maximum: 65_535 },
    hosts: { type: 'array', items: { type: 'string', format: 'hostname' } },
    name: { type: 'string', pattern: '^[a-z]+$' },
  },
};

describe('a schema', () => {
  it('refuses what breaks it, with every path', async () => {
    const path = pathOf(fresh());
    expect((await put(`${path}/schema`, SCHEMA)).status).toBe(201);
    const problem = expectProblem(await put(path, { hosts: ['ok', 1], other: 1 }), 400, 'SCHEMA_VIOLATION');
    expect(problem.errors!.map((each) => each.path).sort()).toEqual(['hosts.1', 'other', 'port']);
    expectProblem(await server.http.get(path), 404);
    expect((await put(path, { port: 1 })).status).toBe(201);
    expectProblem(await put(`${path}?environment=staging`, { port: 'x' }), 400, 'SCHEMA_VIOLATION');
  });

  it('is of what the service sees, layers included', async () => {
    const [path, environment] = [pathOf(fresh()), fresh()];
    await put(`${path}/schema`, SCHEMA);
    const own = `${path}?environment=${environment}`;
    expectProblem(await put(own, { name: 'a' }), 400, 'SCHEMA_VIOLATION');
    await put(`/api/v1/config/*?environment=${environment}`, { port: 80 });
    expect((await put(own, { name: 'a' })).status).toBe(201);
    expectProblem(await put(own, { port: null }), 400, 'SCHEMA_VIOLATION');
  });

  it('holds for a rollback too', async () => {
    const path = pathOf(fresh());
    await put(path, { old: true });
    await put(path, { port: 1 });
    await put(`${path}/schema`, SCHEMA);
    expectProblem(await server.http.post(`${path}/rollback`, { version: 1 }), 400, 'SCHEMA_VIOLATION');
  });

  it('has versions and conditions, and can be deleted', async () => {
    const path = `${pathOf(fresh())}/schema`;
    expectProblem(await server.http.get(path), 404, 'CONFIG_NOT_FOUND');
    await put(path, SCHEMA, { 'if-none-match': '*' });
    const { data, etag } = await server.http.get<{ schema: unknown; version: number }>(path);
    expect([data.schema, data.version, etag]).toEqual([SCHEMA, 1, '"1"']);
    expectProblem(await put(path, {}, { 'if-match': '"2"' }), 412, 'PRECONDITION_FAILED');
    expect((await put(path, {}, { 'if-match': etag })).status).toBe(200);
    expect((await server.http.delete(path)).status).toBe(204);
    expectProblem(await server.http.get(path), 404, 'CONFIG_NOT_FOUND');
    expect((await put(path.replace('/schema', ''), { anything: 1 })).status).toBe(201);
  });

  it.each<[string, object, string]>([
    ['is none', { type: 'objekt' }, 'type'],
    ['is of another dialect', { $schema: 'https://example.com/schema' }, '$schema'],
    ['leads to another host', { $ref: 'http://127.0.0.1:1/schema.json' }, ''],
    ['leads nowhere', { $ref: '#/nowhere' }, ''],
    ['would answer later', { $async: true }, '$async'],
    ['has a pattern that is none', { properties: { a: { pattern: '(' } } }, ''],
  ])('that %s is refused', async (_, schema, where) => {
    const path = `${pathOf(fresh())}/schema`;
    const problem = expectProblem(await put(path, schema), 400, 'SCHEMA_VIOLATION');
    expect(problem.errors?.map((each) => each.path)).toContain(where);
    expectProblem(await server.http.get(path), 404);
  });

  it.each<[string, object, object]>([
    ['a pattern without end', { properties: { a: { pattern: '^(a+)+$' } } }, { a: `${'a'.repeat(60)}!` }],
    ['a circle', { $ref: '#' }, { a: 1 }],
  ])('with %s holds up nobody for long', async (_, schema, value) => {
    const path = pathOf(fresh());
    expect((await put(`${path}/schema`, schema)).status).toBe(201);
    const problem = expectProblem(await put(path, value), 400, 'SCHEMA_VIOLATION');
    expect(problem.errors![0]!.message).toMatch(/^cannot be held to the schema: /);
  });

  it('of draft 7 is taken too, and sees own members alone', async () => {
    const path = pathOf(fresh());
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', required: ['toString'] };
    await put(`${path}/schema`, schema);
    expectBadInput(await put(path, {}), 'toString');
    expect((await put(path, { toString: 1 })).status).toBe(201);
  });

  it('is no larger than it may be, and of no layer', async () => {
    const long = { description: 'x'.repeat(LIMITS.configSchemaBytes) };
    expectProblem(await put(`${pathOf(fresh())}/schema`, long), 413, 'BODY_TOO_LARGE');
    expectBadInput(await put(`${pathOf('*')}/schema`, {}), 'service');
    expectProblem(await put(`${pathOf('watch')}/schema`, {}), 400, 'RESERVED_NAME');
  });
});
