import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { fresh, ids, instancePath, register, registerAll, report, type Instance } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';

interface Check {
  readonly service_id: string;
  readonly check_id: string;
  readonly type: string;
  readonly status: string;
  readonly output: string;
  readonly timestamp: string | null;
  readonly duration_ms: number | null;
}

interface InstanceHealth {
  readonly service_id: string;
  readonly status: string;
  readonly healthy: boolean;
  readonly checks: readonly Check[];
}

interface ServiceHealth {
  readonly status: string;
  readonly totals: Readonly<Record<string, number>>;
  readonly instances: readonly InstanceHealth[];
}

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ HEALTH_CHECK_ENABLED: 'true' });
});
afterAll(() => server.stop());

describe('the health of a service', () => {
  it('is its status, totals and each instance', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: { health_check: { type: 'ttl' } }, d: {} });
    await report(server.http, name, 'b', 'warning');
    await report(server.http, name, 'c', 'critical');
    await server.http.put(`${instancePath(name, 'd')}/maintenance?reason=upgrade`);
    const { data } = await server.http.get<ServiceHealth>(`/api/v1/health/${name.toUpperCase()}`);
    expect(data).toMatchObject({
      service_name: name,
      total_instances: 4,
      healthy_instances: 2,
      status: 'warning',
      totals: { passing: 1, warning: 1, critical: 1, maintenance: 1 },
    });
    expect(data.instances.map(({ service_id, status, healthy }) => [service_id, status, healthy])).toEqual([
      ['a', 'passing', true],
      ['b', 'warning', true],
      ['c', 'critical', false],
      ['d', 'maintenance', false],
    ]);
    expect(data.instances[3]).toMatchObject({ maintenance_reason: 'upgrade', checks: [] });
    const { data: checks } = await server.http.get<Check[]>(`/api/v1/health/${name}/checks`);
    expect(checks).toEqual([expect.objectContaining({ service_id: 'c', type: 'ttl', status: 'critical' })]);
  });

  it('is passing when all in rotation pass, critical when none receives traffic', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const status = async () => (await server.http.get<ServiceHealth>(`/api/v1/health/${name}`)).data.status;
    expect(await status()).toBe('passing');
    await server.http.put(`${instancePath(name, 'b')}/maintenance`);
    expect(await status()).toBe('passing');
    await report(server.http, name, 'a', 'warning');
    expect(await status()).toBe('warning');
    await report(server.http, name, 'a', 'critical');
    expect(await status()).toBe('critical');
  });
});

describe('a name or an id', () => {
  it('is a service’s name first, else a unique id', async () => {
    const [name, other] = [fresh(), fresh()];
    await register(server.http, { service_name: name, id: 'unique-id' });
    // An id of another service that is this service's name.
    await register(server.http, { service_name: other, id: name });
    const ofService = await server.http.get<ServiceHealth>(`/api/v1/health/${name}`);
    expect(ids(ofService.data.instances)).toEqual(['unique-id']);
    expect((await server.http.get<InstanceHealth>('/api/v1/health/unique-id')).data.service_id).toBe('unique-id');
    const ofInstance = await server.http.get<InstanceHealth>(`/api/v1/health/${name}?service=${other}`);
    expect(ofInstance.data).toMatchObject({ service_name: other, service_id: name });
  });

  it('that several services have is 409 with the candidates', async () => {
    const id = fresh('shared');
    const names = [fresh(), fresh()];
    for (const service_name of names) await register(server.http, { service_name, id });
    for (const path of [id, `${id}/checks`]) {
      const { candidates } = expectProblem(await server.http.get(`/api/v1/health/${path}`), 409, 'AMBIGUOUS_ID');
      expect(candidates).toEqual(names.map((service_name) => ({ service_name, service_id: id })));
    }
    expectProblem(await server.http.post(`/api/v1/health/${id}/check`), 409, 'AMBIGUOUS_ID');
    expect((await server.http.get(`/api/v1/health/${id}?service=${names[1]!}`)).status).toBe(200);
  });

  it('that is neither is 404', async () => {
    await register(server.http, { service_name: 'known', id: 'a' });
    for (const path of ['nobody', 'nobody/checks', 'b?service=known', 'a?service=unknown', 'a%20b%C3%BC', '%2F'])
      expectProblem(await server.http.get(`/api/v1/health/${path}`), 404, 'NOT_FOUND');
    expectProblem(await server.http.post('/api/v1/health/nobody/check'), 404, 'NOT_FOUND');
    expectBadInput(await server.http.get('/api/v1/health/a?service=a/b'), 'service');
  });
});

describe('a check', () => {
  let target: Target;
  beforeEach(async () => {
    target = await Target.start();
  });
  afterEach(() => target.stop());

  async function checked(over: object = {}): Promise<string> {
    const name = fresh();
    const health_check = { http_path: '/health', interval: '1h', timeout: '2s', failures_before_critical: 1, ...over };
    await register(server.http, { service_name: name, id: name, port: target.port, health_check });
    return name;
  }

  async function check(service: string, id: string): Promise<Check> {
    return (await server.http.post<Check>(`/api/v1/health/${id}/check?service=${service}`)).data;
  }

  it('now says what it found, and the status follows before the answer', async () => {
    const name = await checked();
    const passing = await check(name, name);
    expect(passing).toMatchObject({
      service_id: name,
      type: 'http',
      status: 'passing',
      output: expect.stringContaining('200'),
    });
    expect(passing.duration_ms).toBeGreaterThanOrEqual(0);
    target.status = 500;
    expect(await check(name, name)).toMatchObject({ status: 'critical', output: expect.stringContaining('500') });
    const { data } = await server.http.get<Instance>(instancePath(name, name));
    expect(data.status).toBe('critical');
    expect(data.last_health_check).not.toBeNull();
    expectProblem(await server.http.get(`/api/v1/services/${name}/instance`), 404, 'NO_HEALTHY_INSTANCES');
    target.status = 204;
    await server.http.post(`/api/v1/health/${name}/check`);
    expect((await server.http.get<Instance>(instancePath(name, name))).data.status).toBe('passing');
  });

  it('of a service is of all its instances that have one', async () => {
    const name = await checked();
    await registerAll(server.http, name, {
      second: { port: target.port, health_check: { type: 'tcp', interval: '1h' } },
      none: {},
    });
    const { data } = await server.http.post<{ results: Check[] }>(`/api/v1/health/${name}/check`);
    expect(data.results.map(({ service_id, type, status }) => [service_id, type, status])).toEqual([
      ['second', 'tcp', 'passing'],
      [name, 'http', 'passing'],
    ]);
  });

  it('of 429 is a warning, and takes the load that a JSON answer names', async () => {
    const name = await checked();
    target.status = 429;
    await server.http.post(`/api/v1/health/${name}/check`);
    expect((await server.http.get<Instance>(instancePath(name, name))).data.status).toBe('warning');
    target.status = 200;
    target.body = JSON.stringify({ status: 'healthy', load_percentage: 0.3 });
    await server.http.post(`/api/v1/health/${name}/check`);
    const { data } = await server.http.get<Instance>(instancePath(name, name));
    expect(data).toMatchObject({ status: 'passing', load_percentage: 0.3 });
  });

  it('comes by itself, at its interval', async () => {
    target.status = 503;
    const name = await checked({ interval: '1s', timeout: '1s' });
    await until(async () => (await server.http.get<Instance>(instancePath(name, name))).data.status === 'critical');
    const { data } = await server.http.get<Check[]>(`/api/v1/health/${name}/checks`);
    expect(data[0]).toMatchObject({ status: 'critical', output: expect.stringContaining('503') });
  });

  it('of one that has none is 404; of a ttl check it is what heartbeats say', async () => {
    const name = fresh();
    await registerAll(server.http, name, { 'no-check': {}, beating: { health_check: { type: 'ttl' } } });
    expectProblem(await server.http.post(`/api/v1/health/no-check/check?service=${name}`), 404, 'NO_HEALTH_CHECK');
    expect(await check(name, 'beating')).toMatchObject({ type: 'ttl', status: 'passing' });
    await report(server.http, name, 'beating', 'critical');
    expect(await check(name, 'beating')).toMatchObject({ type: 'ttl', status: 'critical' });
  });

  it('in great number on one connection leaves nothing behind', async () => {
    const sockets: Socket[] = [];
    const note = (socket: Socket) => sockets.push(socket);
    const listener = server.server.app.getHttpServer().on('connection', note);
    const alone = new HttpClient(server.url);
    const name = await checked();
    for (let i = 0; i < 15; i++) await alone.post(`/api/v1/health/${name}/check`);
    const left = sockets.map((socket) => socket.listenerCount('close'));
    listener.off('connection', note);
    await alone.close();
    expect(sockets.length).toBeGreaterThan(0);
    expect(Math.max(...left)).toBeLessThan(8);
  });
});

describe('with checks switched off', () => {
  it('nothing is probed, not even when somebody asks', async () => {
    const target = await Target.start();
    const quiet = await TestServer.start({ HEALTH_CHECK_ENABLED: 'false' });
    try {
      const health_check = { type: 'http', interval: '1s' };
      await register(quiet.http, { service_name: 'x', id: 'a', port: target.port, health_check });
      expectProblem(await quiet.http.post('/api/v1/health/x/check'), 409, 'CHECKS_DISABLED');
      expectProblem(await quiet.http.post('/api/v1/health/a/check'), 409, 'CHECKS_DISABLED');
      expect(target.asked).toBe(0);
      expect((await quiet.http.get<Instance>(instancePath('x', 'a'))).data.status).toBe('passing');
    } finally {
      await Promise.all([quiet.stop(), target.stop()]);
    }
  });

  it('what a probe has said stands until the instance registers again', async () => {
    const quiet = await TestServer.start({ HEALTH_CHECK_ENABLED: 'false' });
    try {
      const body = { service_name: 'x', id: 'a', port: 1, health_check: { type: 'http', interval: '1s' } };
      // The status of an instance with a check is its probe's first word.
      await register(quiet.http, { ...body, status: 'critical' });
      expect((await quiet.http.get<Instance>(instancePath('x', 'a'))).data.status).toBe('critical');
      await register(quiet.http, body);
      expect((await quiet.http.get<Instance>(instancePath('x', 'a'))).data.status).toBe('passing');
    } finally {
      await quiet.stop();
    }
  });
});
