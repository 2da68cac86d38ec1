import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUILT_IN } from '../../apps/server/src/seams.js';
import { Readiness } from '../../apps/server/src/own-health/readiness.js';
import { instancePath, register, registerAll, report } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface Named {
  readonly name: string;
  readonly summary: string;
}

async function summary(): Promise<unknown> {
  const answer = await server.http.get('/health');
  expect(answer.status).toBe(200);
  return answer.json.service_discovery;
}

describe('the server’s own health', () => {
  it('is live and ready', async () => {
    const live = await server.http.get('/health/live');
    expect([live.status, live.json]).toEqual([200, { status: 'up' }]);
    const ready = await server.http.get('/health/ready');
    expect([ready.status, ready.json.status]).toEqual([200, 'ready']);
  });

  it('says how the services are, which never changes the code', async () => {
    expect((await server.http.get('/health')).json.status).toBe('healthy');
    expect(await summary()).toEqual({
      overall_status: 'healthy',
      total_services: 0,
      healthy_services: 0,
      unhealthy_services: 0,
    });
    await registerAll(server.http, 'a', { x: {}, y: {} });
    await registerAll(server.http, 'b', { x: {} });
    await report(server.http, 'a', 'x', 'critical');
    await report(server.http, 'b', 'x', 'critical');
    expect(await summary()).toMatchObject({ overall_status: 'healthy', total_services: 2, unhealthy_services: 1 });
    await server.http.put(`${instancePath('a', 'y')}/maintenance`);
    expect(await summary()).toMatchObject({ overall_status: 'unhealthy', healthy_services: 0, unhealthy_services: 2 });
    expect((await server.http.get('/health')).json.status).toBe('healthy');
    expect((await server.http.get('/health/ready')).status).toBe(200);
  });

  it('is degraded, and ready, while the data folder is away', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'service-discovery-'));
    const [DATA_DIR, away] = [join(folder, 'data'), join(folder, 'away')];
    const durable = await TestServer.start({ DATA_DIR });
    const { http } = durable;
    try {
      await rename(DATA_DIR, away);
      expectProblem(
        await http.post('/api/v1/services', { name: 'lost', address: 'h', port: 1 }),
        503,
        'OUTCOME_UNKNOWN',
      );
      const health = await http.get('/health');
      expect([health.status, health.json.status]).toEqual([200, 'degraded']);
      expect(health.json.checks).toMatchObject({ registry: { reason: expect.stringContaining('data directory') } });
      expect((await http.get('/health/ready')).status).toBe(200);
      await rename(away, DATA_DIR);
      await register(http, { service_name: 'kept' });
      expect((await http.get('/health')).json.status).toBe('healthy');
    } finally {
      await durable.stop();
      await rm(folder, { recursive: true });
    }
  });

  it('is not ready while it stops, but lives', async () => {
    const stopping = await TestServer.start();
    stopping.server.app.get(Readiness).draining = true;
    for (const path of ['/health/ready', '/health']) {
      const answer = await stopping.http.get(path);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    }
    expect((await stopping.http.get('/health/live')).status).toBe(200);
    await stopping.stop();
  });
});

describe('/metrics', () => {
  it('is Prometheus’ text format', async () => {
    await server.http.get('/api/v1/services');
    const answer = await server.http.get('/metrics');
    expect([answer.status, answer.type]).toEqual([200, 'text/plain']);
    expect(answer.text).toMatch(/^# HELP /m);
    // By route, never by path: a path is anybody's to choose.
    expect(answer.text).toContain('route="/api/v1/services"');
    await server.http.get('/api/v1/services/some-name-that-nobody-has');
    expect((await server.http.get('/metrics')).text).not.toContain('some-name-that-nobody-has');
  });

  it('is not there when it is switched off', async () => {
    const quiet = await TestServer.start({ METRICS_ENABLED: 'false' });
    expectProblem(await quiet.http.get('/metrics'), 404);
    await quiet.stop();
  });
});

describe('capabilities', () => {
  it('are what is loaded at every seam', async () => {
    const { data } = await server.http.get<Record<string, unknown>>('/api/v1/capabilities');
    const names = (listed: unknown) => (listed as Named[]).map(({ name }) => name);
    expect(names(data.backends)).toEqual(BUILT_IN.backends.map(({ type }) => type));
    expect(names(data.strategies)).toEqual(BUILT_IN.strategies.map(({ name }) => name));
    expect(names(data.probes)).toEqual(BUILT_IN.probes.map(({ type }) => type));
    expect(data).toMatchObject({ default_strategy: 'round_robin', backend: { type: 'memory', durable: false } });
  });
});

describe('the document and its page', () => {
  it('are served', async () => {
    const document = await server.http.get('/docs-json');
    expect([document.status, document.type, document.json.openapi]).toEqual([200, 'application/json', '3.1.0']);
    const page = await server.http.get('/docs');
    expect([page.status, page.type]).toEqual([200, 'text/html']);
    expect((await server.http.get('/docs/swagger-ui.css')).type).toBe('text/css');
    const beside = await server.http.get('/docs/');
    expect([beside.status, beside.headers.location]).toEqual([308, '../docs']);
    for (const asset of ['package.json', 'constructor', '..%2Fpackage.json', '%2e%2e%2fpackage.json'])
      expectProblem(await server.http.get(`/docs/${asset}`), 404);
  });
});

describe('a server', () => {
  it('stops at once, twice, and with requests in flight answered', async () => {
    const stopping = await TestServer.start();
    const answers = Array.from({ length: 20 }, (_, i) => register(stopping.http, { service_name: `s${i}` }));
    const [first] = await Promise.all(answers);
    expect(first!.service_name).toBe('s0');
    await Promise.all([stopping.server.stop(), stopping.server.stop()]);
    await expect(stopping.http.get('/health/live')).rejects.toThrow();
    await stopping.stop();
  });
});
