import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Problem } from '../support/http-client.js';
import { body, fresh, type Instance, type Service } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

const BATCH = '/api/v1/services/batch';

interface Item {
  readonly index: number;
  readonly status: number;
  readonly instance?: Instance;
  readonly problem?: Problem;
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

function many(count: number, name: string): object[] {
  return Array.from({ length: count }, (_, i) => body({ service_name: name, id: `i${i}` }));
}

describe('a batch', () => {
  it('takes a thousand, as an array or under services', async () => {
    const name = fresh();
    const answer = await server.http.post<Item[]>(BATCH, many(1_000, name));
    expect(answer.status).toBe(200);
    expect(answer.data.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(new Set(answer.data.map(({ status }) => status))).toEqual(new Set([201]));
    expect(answer.data[999]!.instance!.service_id).toBe('i999');
    const { data } = await server.http.get<Service>(`/api/v1/services/${name}`);
    expect(data.total_instances).toBe(1_000);
    const wrapped = await server.http.post<Item[]>(BATCH, { services: many(2, fresh()) });
    expect(wrapped.data).toHaveLength(2);
  });

  it('refuses one more, and registers none of them', async () => {
    const name = fresh();
    expectProblem(await server.http.post(BATCH, many(1_001, name)), 400);
    expectProblem(await server.http.get(`/api/v1/services/${name}`), 404);
  });

  it('lets bad ones fail alone', async () => {
    const name = fresh();
    const good = body({ service_name: name, id: 'good' });
    const bad = [
      null,
      1,
      [],
      {},
      { ...good, id: 'x', port: 0 },
      { ...good, id: 'x', service_name: 'service-discovery' },
    ];
    const { data } = await server.http.post<Item[]>(BATCH, [good, ...bad, { ...good, id: 'good-2' }]);
    expect(data.map(({ status }) => status)).toEqual([201, 400, 400, 400, 400, 400, 400, 201]);
    expect(data[5]!.problem).toMatchObject({ success: false, code: 'INVALID_REQUEST', errors: [{ path: 'port' }] });
    expect(data[6]!.problem).toMatchObject({ code: 'RESERVED_NAME' });
    const { data: service } = await server.http.get<Service>(`/api/v1/services/${name}`);
    expect(service.total_instances).toBe(2);
  });

  it('of the same instance twice: the later one stands', async () => {
    const name = fresh();
    const twice = [1, 2].map((port) => body({ service_name: name, id: 'a', port }));
    await server.http.post(BATCH, twice);
    const { data } = await server.http.get<Service>(`/api/v1/services/${name}`);
    expect(data.instances.map(({ port }) => port)).toEqual([2]);
  });

  it('may be empty', async () => {
    expect((await server.http.post<Item[]>(BATCH, [])).data).toEqual([]);
  });

  it.each([null, 'x', 7, {}, { services: {} }])('is refused as a whole: %j', async (all) => {
    expectProblem(await server.http.post(BATCH, JSON.stringify(all)), 400);
  });

  it('has no parameters', async () => {
    expectBadInput(await server.http.post(`${BATCH}?dry_run=1`, []), 'dry_run');
  });
});
