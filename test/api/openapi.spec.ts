import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Contract } from '../support/contract.js';
import { handlersOf, routesOf } from '../support/routes.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let contract: Contract;
beforeAll(async () => {
  server = await TestServer.start();
  contract = await Contract.of(server.http);
});
afterAll(() => server.stop());

/** Everything in the document, with the keys that lead there. */
function* walk(value: unknown, path: readonly string[] = []): Generator<[readonly string[], Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value as Record<string, unknown>];
  for (const [key, child] of Object.entries(value)) yield* walk(child, [...path, key]);
}

describe('the document', () => {
  it('is OpenAPI 3.1 with a title, a version, a licence and a description of each tag', () => {
    const { openapi, info, servers, tags } = contract.document;
    expect(openapi).toMatch(/^3\.1\.\d+$/);
    expect(info).toMatchObject({ title: 'service-discovery', version: expect.any(String), license: { name: 'MIT' } });
    expect(servers).toEqual([{ url: '/' }]);
    const used = new Set(contract.operations.flatMap((operation) => operation.tags));
    expect(new Set(tags!.map(({ name }) => name))).toEqual(used);
    for (const tag of tags!) expect(tag.description).toEqual(expect.any(String));
  });

  it('has no reference that leads nowhere', () => {
    for (const [path, { $ref }] of walk(contract.document)) {
      if (typeof $ref !== 'string') continue;
      const target = $ref
        .replace('#/', '')
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], contract.document);
      expect([path.join('/'), $ref, typeof target]).toEqual([path.join('/'), $ref, 'object']);
    }
  });

  it('has schemas of the dialect of 2020-12, in no older words', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const places = [...walk(contract.document)].filter(
      ([path]) => path.at(-1) === 'schema' || path.at(-2) === 'schemas',
    );
    expect(places.length).toBeGreaterThan(100);
    for (const [path, schema] of places) {
      expect([path.join('/'), ajv.validateSchema(schema), ajv.errorsText()]).toEqual([
        path.join('/'),
        true,
        'No errors',
      ]);
      for (const [, part] of walk(schema)) {
        expect(part).not.toHaveProperty('nullable');
        expect(typeof part.exclusiveMinimum).not.toBe('boolean');
        expect(part).not.toHaveProperty('$defs');
      }
    }
  });

  it('gives each operation a short name of its own, one tag and a summary', () => {
    const ids = contract.operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]{2,29}$/);
    for (const { tags, summary } of contract.operations) {
      expect(tags).toHaveLength(1);
      expect(summary.length).toBeGreaterThan(5);
    }
  });

  it('declares every part of a path, and no parameter twice', () => {
    for (const { path, parameters, operationId } of contract.operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((each) => each.in === 'path');
      expect([operationId, declared.map(({ name }) => name).sort()]).toEqual([operationId, inPath.sort()]);
      expect(declared.every(({ required }) => required === true)).toBe(true);
      const names = parameters.map((each) => `${each.in} ${each.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const parameter of parameters) expect(parameter.schema).toEqual(expect.any(Object));
    }
  });

  it('names the id of a request once, for every operation and each of its answers', () => {
    const { parameters, headers } = contract.document.components!;
    expect([Object.keys(parameters!), Object.keys(headers!)]).toEqual([['RequestId'], ['RequestId']]);
    for (const operation of contract.operations) {
      expect(operation.parameters).toContain(parameters!.RequestId);
      for (const response of Object.values(operation.responses))
        expect(response.headers?.['X-Request-Id']).toBe(headers!.RequestId);
    }
  });

  it('has the parameters of a filter as they are sent', () => {
    const filtering = contract.operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'tags'));
    expect(filtering.map(({ operationId }) => operationId).sort()).toEqual([
      'getService',
      'listInstances',
      'listServices',
      'pickInstance',
      'watchService',
      'watchServices',
    ]);
    for (const { parameters } of filtering) {
      const named = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter]));
      expect(named.tags).toMatchObject({ style: 'form', explode: false, schema: { type: 'array' } });
      expect(named.metadata).toMatchObject({ style: 'form', explode: true, schema: { type: 'object' } });
    }
  });

  it('names exactly the parameters that a route knows', async () => {
    const { operations } = contract;
    for (const { method, path, parameters, operationId } of operations.filter((each) =>
      each.path.startsWith('/api/'),
    )) {
      const target = path.replace(/\{\w+\}/g, 'x');
      const answer = await server.http.send(method, `${target}?no-such-parameter=1`, {
        body: method === 'GET' ? undefined : {},
      });
      const said = answer.problem.errors?.find((each) => each.path === 'no-such-parameter')?.message;
      const known =
        /known are (.*)$/
          .exec(said ?? '')?.[1]
          ?.replace('metadata.KEY', 'metadata')
          .split(', ') ?? [];
      const documented = parameters.filter((each) => each.in === 'query').map(({ name }) => name);
      // A body that is refused first says nothing of parameters.
      if (said !== undefined) expect([operationId, documented.sort()]).toEqual([operationId, known.sort()]);
      else expect(['register', 'registerAlias', 'registerBatch', 'rollBackConfig']).toContain(operationId);
    }
  });
});

describe('routes', () => {
  it('are all documented, and nothing else is', () => {
    // What replicas ask each other is no part of the API.
    const routes = routesOf(server).filter((route) => !/ \/(docs|internal)/.test(route));
    const documented = contract.operations.map(({ method, path }) => `${method} ${path}`);
    expect(routes.length).toBeGreaterThan(20);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it('each declare the role that they need, and a write never less than a reader', () => {
    const handlers = handlersOf(server);
    expect(handlers.length).toBeGreaterThan(20);
    for (const { name, need } of handlers) expect([name, need?.role]).toEqual([name, expect.any(String)]);
    const open = handlers.filter(({ method, need }) => method !== 'GET' && need?.role === 'public');
    expect(open).toEqual([]);
  });

  it('each that are about a service say where its name is', () => {
    for (const { name, path, need } of handlersOf(server)) {
      const { instancesOf, service } = need!;
      const named = /:(name|service|service_name)(?![a-z_])/.exec(path)?.[1];
      expect([name, instancesOf ?? service]).toEqual([name, named]);
    }
  });
});
