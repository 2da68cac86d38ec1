import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, instancePath, register, registerAll } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

interface Seen {
  readonly service_name: string;
  readonly service_id?: string;
  readonly in_flight?: number;
  readonly total_requests: number;
  readonly average_response_time_ms: number;
  readonly error_rate: number;
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

async function metrics(of: 'services' | 'instances', name: string): Promise<Seen[]> {
  const { data } = await server.http.get<Seen[]>(`/api/v1/metrics/${of}`);
  return data.filter(({ service_name }) => service_name === name);
}

function outcome(name: string, id: string, seen: object) {
  return server.http.post(`${instancePath(name, id)}/outcome`, seen);
}

describe('outcomes', () => {
  it('are counted by instance and by service', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const answer = await outcome(name, 'a', { ok: true, duration_ms: 10 });
    expect([answer.status, answer.text]).toEqual([204, '']);
    await outcome(name, 'a', { ok: true, duration_ms: 30 });
    await outcome(name, 'a', { ok: false, duration_ms: 20 });
    await outcome(name, 'b', { ok: true, duration_ms: 40 });
    expect(await metrics('services', name)).toEqual([
      {
        service_name: name,
        total_instances: 2,
        healthy_instances: 2,
        total_requests: 4,
        average_response_time_ms: 25,
        error_rate: 0.25,
      },
    ]);
    expect(await metrics('instances', name)).toEqual([
      expect.objectContaining({
        service_id: 'a',
        status: 'passing',
        total_requests: 3,
        average_response_time_ms: 20,
        error_rate: 1 / 3,
      }),
      expect.objectContaining({ service_id: 'b', total_requests: 1, average_response_time_ms: 40, error_rate: 0 }),
    ]);
  });

  it('bring back what a pick has taken: least_connections follows', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const pick = async () =>
      (await server.http.get<{ service_id: string }>(`/api/v1/services/${name}/instance?strategy=least_connections`))
        .data.service_id;
    const first = await pick();
    const second = await pick();
    expect(new Set([first, second]).size).toBe(2);
    await outcome(name, second, { released: true, ok: true, duration_ms: 1 });
    expect(await pick()).toBe(second);
    expect((await metrics('instances', name)).map(({ in_flight }) => in_flight)).toEqual([1, 1]);
  });

  it('are forgotten with the instance', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    await outcome(name, 'a', { ok: false, duration_ms: 5 });
    await server.http.delete(instancePath(name, 'a'));
    await register(server.http, { service_name: name, id: 'a' });
    expect((await metrics('instances', name))[0]).toMatchObject({ total_requests: 0, error_rate: 0 });
  });

  it('change no revision and no ETag', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const before = await server.http.get(`/api/v1/services/${name}`);
    const { revision } = await outcome(name, 'a', { ok: true, duration_ms: 5 });
    expect(revision).toBe(before.revision);
  });

  it('are checked', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    expectBadInput(await outcome(name, 'a', { duration_ms: -1 }), 'duration_ms');
    expectBadInput(await outcome(name, 'a', { duration_ms: '5' }), 'duration_ms');
    expectBadInput(await outcome(name, 'a', { ok: 'yes' }), 'ok');
    expectProblem(await outcome(name, 'b', { ok: true }), 404, 'INSTANCE_NOT_FOUND');
    expectProblem(await server.http.post(`${instancePath(name, 'a')}/outcome`), 400);
  });

  it('have no parameters to be read by', async () => {
    for (const each of ['services', 'instances']) {
      expectBadInput(await server.http.get(`/api/v1/metrics/${each}?service=x`), 'service');
    }
  });
});
