import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '#core';
import type { Answer } from '../support/http-client.js';
import { fresh } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

interface Document {
  readonly service_name: string;
  readonly environment: string;
  readonly version: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly updated_at: string;
  readonly updated_by: string;
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const pathOf = (name: string) => `/api/v1/config/${name}`;
const put = (path: string, body: unknown, headers?: Record<string, string>) =>
  server.http.put<Document>(path, body, headers);
const get = (path: string, headers?: Record<string, string>) => server.http.get<Document>(path, headers);

async function versions(path: string): Promise<number[]> {
  return (await server.http.get<{ version: number }[]>(`${path}/history`)).data.map(({ version }) => version);
}

/** A document whose JSON without white space has so many bytes. */
function ofSize(bytes: number): string {
  return `{"text":"${'x'.repeat(bytes - '{"text":""}'.length)}"}`;
}

describe('a document', () => {
  it('is what was put, with versions from 1 on', async () => {
    const path = pathOf(fresh());
    const first = await put(path, { a: 1, b: { c: [null] } });
    expect([first.status, first.etag]).toEqual([201, '"1"']);
    const second = await put(path, { a: 2 });
    expect([second.status, second.etag]).toEqual([200, '"2"']);
    const { data, headers, etag } = await get(path);
    expect(data).toEqual({ ...second.data, version: 2, config: { a: 2 }, environment: 'production' });
    expect(data.created_at).toBe(first.data.created_at);
    expect(data.updated_by).toMatch(/^anonymous@/);
    expect(etag).toBe('"2"');
    expect(headers).toMatchObject({ 'x-registry-source': 'live', 'x-registry-age': '0' });
    expect((await get(path, { 'if-none-match': etag })).status).toBe(304);
    expect((await get(`${path}?version=1`)).data).toEqual(first.data);
    expectProblem(await get(`${path}?version=3`), 404, 'CONFIG_NOT_FOUND');
  });

  it('is one of its environment, and of its service in any case', async () => {
    const name = fresh();
    await put(pathOf(name), { in: 'production' });
    await put(`${pathOf(name.toUpperCase())}?environment=Staging`, { in: 'staging' });
    expect((await get(`${pathOf(name)}?environment=staging`)).data).toMatchObject({
      service_name: name,
      environment: 'staging',
      version: 1,
      config: { in: 'staging' },
    });
    expect((await get(`${pathOf(name)}?environment=production`)).data.config).toEqual({ in: 'production' });
    expectProblem(await get(`${pathOf(name)}?environment=test`), 404, 'CONFIG_NOT_FOUND');
  });

  it('is gone when it is deleted, and its versions go on', async () => {
    const path = pathOf(fresh());
    const first = await put(path, { n: 1 });
    const deleted = await server.http.delete(path);
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expectProblem(await get(path), 404, 'CONFIG_NOT_FOUND');
    expectProblem(await get(`${path}?version=2`), 404, 'CONFIG_NOT_FOUND');
    expectProblem(await server.http.delete(path), 404, 'CONFIG_NOT_FOUND');
    expect((await get(`${path}?version=1`)).data).toEqual(first.data);
    const again = await put(path, { n: 3 });
    expect([again.status, again.data.version]).toEqual([201, 3]);
  });

  it('goes back to an earlier version as a new one', async () => {
    const path = pathOf(fresh());
    await put(path, { n: 1 });
    await put(path, { n: 2 });
    const back = await server.http.post<Document>(`${path}/rollback`, { version: 1 });
    expect([back.status, back.etag, back.data.config]).toEqual([200, '"3"', { n: 1 }]);
    await server.http.delete(path);
    expectProblem(await server.http.post(`${path}/rollback`, { version: 4 }), 404, 'CONFIG_NOT_FOUND');
    expectProblem(await server.http.post(`${path}/rollback`, { version: 9 }), 404, 'CONFIG_NOT_FOUND');
    expect((await server.http.post<Document>(`${path}/rollback`, { version: 2 })).data.version).toBe(5);
    expect((await get(path)).data.config).toEqual({ n: 2 });
  });

  it('has a history of who and when, newest first, in pages', async () => {
    const path = pathOf(fresh());
    for (let n = 1; n <= 3; n++) await put(path, { n });
    await server.http.delete(path);
    await server.http.post(`${path}/rollback`, { version: 1 });
    const { data } = await server.http.get<Record<string, unknown>[]>(`${path}/history`);
    expect(data.map(({ version, deleted, rolled_back_to: to }) => [version, deleted, to])).toEqual([
      [5, false, 1],
      [4, true, undefined],
      [3, false, undefined],
      [2, false, undefined],
      [1, false, undefined],
    ]);
    for (const each of data) expect(each).toMatchObject({ updated_by: expect.stringMatching(/^anonymous@/) });

    const seen: number[] = [];
    let cursor: string | null = '';
    for (; cursor !== null;) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const answer: Answer<{ version: number }[]> = await server.http.get(`${path}/history?limit=2${from}`);
      seen.push(...answer.data.map(({ version }) => version));
      cursor = (answer.json.page as { next_cursor: string | null }).next_cursor;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    expectProblem(await server.http.get(`${pathOf(fresh())}/history`), 404, 'CONFIG_NOT_FOUND');
    expectBadInput(await server.http.get(`${path}/history?cursor=x`), 'cursor');
    expectBadInput(await server.http.get(`${path}/history?limit=101`), 'limit');
  });

  it(`keeps ${LIMITS.configVersions} versions`, async () => {
    const path = pathOf(fresh());
    for (let n = 1; n <= LIMITS.configVersions + 1; n++) await put(path, { n });
    expect((await versions(path)).length).toBe(20);
    const { data } = await server.http.get<{ version: number }[]>(`${path}/history?limit=100`);
    expect(data.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, i) => 101 - i));
    expectProblem(await get(`${path}?version=1`), 404, 'CONFIG_NOT_FOUND');
  });
});

describe('a condition', () => {
  it('lets through who has seen the newest version', async () => {
    const path = pathOf(fresh());
    await put(path, { n: 1 });
    expect((await put(path, { n: 2 }, { 'if-match': '"1"' })).data.version).toBe(2);
    const late = await put(path, { n: 3 }, { 'if-match': '"1"' });
    expect(expectProblem(late, 412, 'PRECONDITION_FAILED')).toMatchObject({ current_version: 2 });
    expect(late.etag).toBe('"2"');
    const headers = { 'if-match': '"1"' };
    expectProblem(await server.http.send('DELETE', path, { headers }), 412, 'PRECONDITION_FAILED');
    expectProblem(await server.http.post(`${path}/rollback`, { version: 1 }, headers), 412, 'PRECONDITION_FAILED');
    expect(await versions(path)).toEqual([2, 1]);
    expect((await server.http.delete(path, { 'if-match': '"2"' })).status).toBe(204);
  });

  it('of any version wants a document to be there, and one of none that there is not', async () => {
    const path = pathOf(fresh());
    const absent = expectProblem(await put(path, {}, { 'if-match': '*' }), 412, 'PRECONDITION_FAILED');
    expect(absent).toMatchObject({ current_version: null });
    expect((await put(path, {}, { 'if-none-match': '*' })).status).toBe(201);
    const present = expectProblem(await put(path, {}, { 'if-none-match': '*' }), 412, 'PRECONDITION_FAILED');
    expect(present).toMatchObject({ current_version: 1 });
    expect((await put(path, {}, { 'if-match': '*' })).status).toBe(200);
    await server.http.delete(path);
    expectProblem(await put(path, {}, { 'if-match': '"3"' }), 412, 'PRECONDITION_FAILED');
    expect((await put(path, {}, { 'if-none-match': '*' })).status).toBe(201);
  });

  it.each(['7', 'W/"7"', '"7", "8"', '"x"', '"0"', '"-1"', '"1.5"', '', '"9999999999999999999"'])(
    'in another form is refused: %j',
    async (form) => {
      const path = pathOf(fresh());
      expectBadInput(await put(path, {}, { 'if-match': form }), 'If-Match');
      expectBadInput(await put(path, {}, { 'if-none-match': form }), 'If-None-Match');
      expectProblem(await get(path), 404);
    },
  );

  it('cannot be two', async () => {
    expectBadInput(await put(pathOf(fresh()), {}, { 'if-match': '*', 'if-none-match': '*' }), 'If-None-Match');
  });

  it('lets one of many writers through', async () => {
    const path = pathOf(fresh());
    await put(path, { n: 0 });
    const answers = await Promise.all([1, 2, 3, 4].map((n) => put(path, { n }, { 'if-match': '"1"' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });

  it('loses no increment', async () => {
    const path = pathOf(fresh());
    await put(path, { count: 0 });
    const raise = async (): Promise<void> => {
      for (;;) {
        const { data, etag } = await get(path);
        const next = { count: (data.config.count as number) + 1 };
        if ((await put(path, next, { 'if-match': etag })).status === 200) return;
      }
    };
    const worker = async () => {
      for (let i = 0; i < 25; i++) await raise();
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect((await get(path)).data).toMatchObject({ version: 201, config: { count: 200 } });
  });
});

describe('what a document may be', () => {
  it.each(['[]', '"text"', '7', 'null', 'true', ''])('an object, and not %j', async (text) => {
    const answer = await server.http.send('PUT', pathOf(fresh()), {
      body: text,
      headers: { 'content-type': 'application/json' },
    });
    expectProblem(answer, 400);
  });

  it('of 256 KiB without white space, and no byte more', async () => {
    const path = pathOf(fresh());
    const largest = ofSize(LIMITS.configBytes);
    expect((await put(path, largest)).status).toBe(201);
    expect(JSON.stringify((await get(path)).data.config)).toBe(largest);
    expect((await put(path, `{ ${' '.repeat(1_000)}${largest.slice(1)}`)).status).toBe(200);
    expectProblem(await put(path, ofSize(LIMITS.configBytes + 1)), 413, 'BODY_TOO_LARGE');
    const wide = `{"text":"${'é'.repeat(LIMITS.configBytes / 2)}"}`;
    expectProblem(await put(path, wide), 413, 'BODY_TOO_LARGE');
  });

  it('of many members, and keeps every value as it was', async () => {
    const path = pathOf(fresh());
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key-${i}`, i]));
    const odd = {
      '': '',
      'a.b/c~d': [[], {}],
      ünï: '\u0000\ud83d\ude00\u2028',
      toString: null,
      constructor: 1,
      hasOwnProperty: 2,
    };
    await put(path, { ...many, ...odd, e: 1e300, small: 5e-324, whole: Number.MAX_SAFE_INTEGER, half: 0.1 });
    expect((await get(path)).data.config).toEqual({
      ...many,
      ...odd,
      e: 1e300,
      small: 5e-324,
      whole: Number.MAX_SAFE_INTEGER,
      half: 0.1,
    });
  });

  it.each([
    ['{"a":1,"b":{"c":1,"c":2}}', 'b.c'],
    ['{"a":1, "\\u0061" : 2}', 'a'],
    ['{"":1,"":2}', ''],
    ['{"a":[{"b":1},{"b":9007199254740993}]}', 'a.1.b'],
    ['{"text":"12345678901234567890 \\" 1e999","n":1e999}', 'n'],
    ['{"n":-9007199254740992}', 'n'],
  ])('nothing that would change: %s', async (text, where) => {
    expectBadInput(await put(pathOf(fresh()), text), where);
  });

  it.each(['{"__proto__":{"a":1}}', '{"a":{"constructor":{"prototype":{}}}}', '{"a":1', '{"a":01}', '{"a":NaN}'])(
    'nothing that poisons or is no JSON: %s',
    async (text) => {
      expectProblem(await put(pathOf(fresh()), text), 400, 'MALFORMED_JSON');
    },
  );

  it('no deeper than anything else', async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    expect((await put(pathOf(fresh()), nested(16))).status).toBe(201);
    expectProblem(await put(pathOf(fresh()), nested(17)), 400, 'INVALID_REQUEST');
    expectProblem(await put(pathOf(fresh()), nested(100_000)), 400);
  });
});

describe('a name', () => {
  it('of the watches is reserved', async () => {
    for (const name of ['watch', 'WATCH']) {
      expectProblem(await put(pathOf(name), {}), 400, 'RESERVED_NAME');
      expectProblem(await get(pathOf(name)), 400, 'RESERVED_NAME');
    }
  });

  it.each(['%C3%BC', 'a b', '..%2f', '%00', 'x'.repeat(101), '**', '...'])('%j is none', async (name) => {
    expectBadInput(await put(encodeURI(pathOf(name)).replaceAll('%25', '%'), {}), 'service');
  });

  it.each(['%C3%BC', '', 'a/b', '**'])('nor %j one of an environment', async (environment) => {
    expectBadInput(await put(`${pathOf(fresh())}?environment=${environment}`, {}), 'environment');
  });

  it('may be * where all share a layer', async () => {
    expect((await put(pathOf('*'), { all: true })).data).toMatchObject({
      service_name: '*',
      environment: 'production',
    });
    expect((await put(`${pathOf('*')}?environment=*`, { base: true })).data).toMatchObject({ environment: '*' });
    expect((await get(`${pathOf('%2A')}?environment=%2A`)).data.config).toEqual({ base: true });
    expectBadInput(await put(`${pathOf(fresh())}?environment=*`, {}), 'environment');
  });
});
