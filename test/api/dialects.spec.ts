import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { untilAnswer } from '../support/changes.js';
import { fresh, report } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { Target } from '../support/target.js';

// What clients of the older systems call, beside what our own API says of the same instances.

let server: TestServer;
let target: Target;
beforeAll(async () => {
  target = await Target.start();
  server = await TestServer.start({ HEALTH_CHECK_ENABLED: 'true', HEARTBEAT_INTERVAL: '60' });
});
afterAll(() => Promise.all([server.stop(), target.stop()]));

type Json = Record<string, any>;
const get = async (path: string): Promise<Json> => (await server.http.get(path)).json;
const post = async (path: string, body: object): Promise<Json> => (await server.http.post(path, body)).json;

describe('heartbeat', () => {
  const ROOT = '/v1/discovery';
  const instance = (service_name: string, over: object = {}) => ({
    ...{ service_name, instance_id: 'a', host: '127.0.0.1', port: target.port },
    ...over,
  });

  it('registers, keeps alive, shows and unregisters', async () => {
    const name = fresh('beats');
    const metadata = { version: '1.0', roles: ['reader', { deep: true }], cores: 4, nothing: null };
    expect(await post(`${ROOT}/register`, instance(name, { metadata }))).toEqual({
      status: 'registered',
      service_name: name,
      instance_id: 'a',
      ttl_seconds: 300,
      heartbeat_interval_seconds: 60,
    });
    const key = { service_name: name, instance_id: 'a' };
    expect(await post(`${ROOT}/heartbeat`, key)).toEqual({ status: 'ok', ...key });

    const shown = await get(`${ROOT}/services/${name}`);
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(shown).toEqual({
      service_name: name,
      instances: [
        {
          ...{ instance_id: 'a', host: '127.0.0.1', port: target.port, health_endpoint: null, status: 'healthy' },
          metadata: { version: '1.0', roles: ['reader', { deep: true }], cores: '4' },
          ...{ load_percentage: null, last_heartbeat: time, registered_at: time },
        },
      ],
    });
    expect((await get(`${ROOT}/services`)).services[name]).toEqual(shown.instances);
    const { data } = await get(`/api/v1/services/${name}/instances/a`);
    expect(data).toMatchObject({ ttl: 300, health_check: null });

    const path = `${ROOT}/unregister/${name}/a`;
    expect((await server.http.delete(path)).json).toEqual({ status: 'unregistered', ...key });
    expectProblem(await server.http.delete(path), 404, 'INSTANCE_NOT_FOUND');
    expectProblem(await server.http.post(`${ROOT}/heartbeat`, key), 404, 'INSTANCE_NOT_FOUND');
    expectProblem(await server.http.get(`${ROOT}/services/${name}`), 404, 'SERVICE_NOT_FOUND');
  });

  it('has the health endpoint asked beside the heartbeats, and tells the load', async () => {
    const name = fresh('beats');
    target.body = JSON.stringify({ status: 'healthy', load_percentage: 0.3 });
    await post(`${ROOT}/register`, instance(name, { health_endpoint: '/alive' }));
    const { data } = await get(`/api/v1/services/${name}/instances/a`);
    expect(data).toMatchObject({ ttl: 300, health_check: { type: 'http', http_path: '/alive' } });
    const loaded = await untilAnswer(
      server.http,
      `/api/v1/services/${name}/instances/a`,
      (answer) => (answer.data as any).load_percentage === 0.3,
      'the load',
    );
    expect(loaded.status).toBe(200);
    expect((await get(`${ROOT}/services/${name}`)).instances[0]).toMatchObject({
      health_endpoint: '/alive',
      load_percentage: 0.3,
    });
  });

  it('tells who may be called', async () => {
    const name = fresh('beats');
    for (const instance_id of ['up', 'down', 'out'])
      await post(`${ROOT}/register`, instance(name, { instance_id, metadata: null }));
    await report(server.http, name, 'down', 'critical');
    await report(server.http, name, 'up', 'warning');
    await server.http.put(`/api/v1/services/${name}/instances/out/maintenance`);
    const statuses = async (path: string) =>
      ((await get(path)).instances as Json[]).map(({ instance_id, status }) => [instance_id, status] as unknown[]);
    expect(await statuses(`${ROOT}/services/${name}`)).toEqual([
      ['down', 'unhealthy'],
      ['out', 'maintenance'],
      ['up', 'healthy'],
    ]);
    expect(await statuses(`${ROOT}/services/${name}/healthy`)).toEqual([['up', 'healthy']]);
  });

  it('answers bad input as everything here does', async () => {
    const answer = await server.http.post(`${ROOT}/register`, { service_name: 'x', port: 80 });
    expectBadInput(answer, 'host');
    expectProblem(await server.http.get(`${ROOT}/register`), 405, 'METHOD_NOT_ALLOWED');
  });
});

describe('gateway-replacement', () => {
  const ROOT = '/service-discovery';
  const service = (service_name: string, over: object = {}) => ({
    ...{ service_name, host: '127.0.0.1', port: target.port, protocol: 'http', path: '/api/v1' },
    ...over,
  });

  it('registers, tells where, and deregisters', async () => {
    const name = fresh('gate');
    const base_url = `http://127.0.0.1:${target.port}/api/v1`;
    const given = service(name, { tags: ['edge', name], metadata: { team: 'core' } });
    const registered = await post(`${ROOT}/register`, given);
    expect(registered).toEqual({
      ...{ status: 'registered', service_name: name, base_url },
      service_id: `${name}-127.0.0.1-${target.port}`,
    });
    expect(await get(`${ROOT}/discover/${name}`)).toEqual({ service_name: name, base_url, status: 'healthy' });
    const entry = { service_name: name, base_url, status: 'healthy', tags: ['edge', name], metadata: { team: 'core' } };
    expect((await get(`${ROOT}/services`)).services).toContainEqual(entry);
    expect((await get(`${ROOT}/services/healthy`)).services).toContainEqual(entry);
    expect(await get(`${ROOT}/services/by-tag/${name}`)).toEqual({ services: [entry] });
    const path = `${ROOT}/deregister/${name}/${registered.service_id}`;
    expect((await server.http.delete(path)).json).toMatchObject({ status: 'deregistered', service_name: name });
    expectProblem(await server.http.delete(path), 404, 'INSTANCE_NOT_FOUND');
    expectProblem(await server.http.get(`${ROOT}/discover/${name}`), 404, 'SERVICE_NOT_FOUND');
  });

  it('tells in the aggregate what the instance itself has said', async () => {
    const name = fresh('gate');
    const said = { status: 'healthy', version: '2.1', dependencies: { db: ['up', 3] } };
    target.body = JSON.stringify(said);
    const { service_id } = await post(`${ROOT}/register`, service(name, { health_check_path: '/health' }));
    expect((await server.http.post(`/api/v1/health/${service_id}/check`)).status).toBe(200);
    const all = await get(`${ROOT}/health/aggregated`);
    expect(all.services[name]).toEqual({
      status: 'healthy',
      endpoint: `http://127.0.0.1:${target.port}/api/v1`,
      last_heartbeat: expect.any(String),
      health_data: said,
    });
    expect(all.overall_status).toBe('healthy');
    expect(all.total_services - all.healthy_services).toBe(all.unhealthy_services);
    expect(Date.parse(all.timestamp)).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe('DIALECTS', () => {
  it('says which are served: in the capabilities, in the document, and at all', async () => {
    const own = await TestServer.start({ DIALECTS: 'gateway-replacement' });
    const { http } = own;
    try {
      const { dialects } = (await http.get<{ dialects: { name: string }[] }>('/api/v1/capabilities')).data;
      expect(dialects.map(({ name }) => name)).toEqual(['gateway-replacement']);
      const { paths } = (await http.get('/docs-json')).json as { paths: object };
      const roots = new Set(Object.keys(paths).map((path) => path.split('/')[1]));
      expect([...roots].sort()).toEqual(['api', 'health', 'metrics', 'service-discovery']);
      expectProblem(await http.get('/v1/discovery/services'), 404, 'NO_SUCH_ROUTE');
    } finally {
      await own.stop();
    }
  });
});

describe('with SERVICE_DISCOVERY_SECRET', () => {
  it('writes take it, and reads are open', async () => {
    const secret = 'a-secret-of-older-systems';
    const own = await TestServer.start({ SERVICE_DISCOVERY_SECRET: secret });
    const { http } = own;
    try {
      const key = { service_name: 'ledger', instance_id: 'a' };
      const registration = { ...key, host: '127.0.0.1', port: 80 };
      const register = '/v1/discovery/register';
      expectProblem(await http.post(register, registration), 401, 'UNAUTHENTICATED');
      const wrong = { authorization: 'Bearer another-secret-than-that' };
      expectProblem(await http.post(register, registration, wrong), 401, 'UNAUTHENTICATED');

      const holder = { authorization: `Bearer ${secret}` };
      expect((await http.post(register, registration, holder)).status).toBe(200);
      expectProblem(await http.post('/v1/discovery/heartbeat', key), 401, 'UNAUTHENTICATED');
      expect((await http.post('/v1/discovery/heartbeat', key, holder)).status).toBe(200);
      for (const path of ['/v1/discovery/services/ledger', '/service-discovery/services'])
        expect((await http.get(path)).status).toBe(200);
    } finally {
      await own.stop();
    }
  });
});
