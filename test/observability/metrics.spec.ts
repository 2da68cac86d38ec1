import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Catalog } from '#catalog';
import type { Metrics } from '#telemetry';
import { MetricsServer } from '../../apps/server/src/own-health/metrics-server.js';
import { serviceInstance } from '#core/testing';
import { METRICS } from '../../apps/server/src/tokens.js';
import { hasPrograms } from '../servers/index.js';
import { programs, runPromtool } from '../servers/prometheus.js';
import { fresh, instancePath, register, registerAll, report } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ METRICS_MAX_SERVICES: '3' });
});
afterAll(() => server.stop());

async function scrape({ http }: TestServer = server): Promise<string> {
  const { status, text } = await http.get('/metrics');
  expect(status).toBe(200);
  return text;
}

/** The value of one series, undefined when it is not there. */
async function value(series: string): Promise<number | undefined> {
  const line = (await scrape()).split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** How long the work keeps everybody else waiting at most, milliseconds. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const done = new AbortController();
  let began = performance.now();
  let longest = 0;
  void work().finally(() => done.abort());
  while (!done.signal.aborted) {
    await turn();
    longest = Math.max(longest, performance.now() - began);
    began = performance.now();
  }
  return longest;
}

/** With CI set the runner has prepared it, and its absence is a failure. */
const withPrometheus = process.env.CI || hasPrograms({ programs }) ? it : it.skip;

describe('/metrics', () => {
  it('has what happened to services, by the names that dashboards know', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {} });
    await report(server.http, name, 'a', 'critical');
    await report(server.http, name, 'b', 'warning');
    await server.http.put(`${instancePath(name, 'c')}/maintenance`);
    for (let i = 0; i < 3; i++) await server.http.get(`/api/v1/services/${name}`);
    await server.http.get(`/api/v1/services/${name}/instance?strategy=random`);
    const of = (status: string) => `active_service_instances{service_name="${name}",status="${status}"}`;
    expect(await value(of('critical'))).toBe(1);
    expect(await value(of('warning'))).toBe(1);
    expect(await value(of('maintenance'))).toBe(1);
    expect(await value(of('passing'))).toBe(0);
    expect(await value('service_discovery_registered_services_total')).toBe(1);
    expect(await value('service_discovery_healthy_instances_ratio')).toBeCloseTo(1 / 3);
    expect(await value(`service_registrations_total{service_name="${name}"}`)).toBe(3);
    expect(await value(`service_discoveries_total{service_name="${name}"}`)).toBe(4);
    expect(await value('service_discovery_picks_total{strategy="random"}')).toBe(1);
    expect(await value('service_discovery_instance_events_total{cause="registered"}')).toBe(3);
    const registered = 'service_discovery_registry_operations_total{operation="register",backend="memory",result="ok"}';
    expect(await value(registered)).toBe(3);
    expect(await value('service_discovery_registry_up{backend="memory"}')).toBe(1);
    expect(await value('service_discovery_cache_requests_total{result="hit"}')).toBe(2);
    await server.http.delete(instancePath(name, 'b'));
    expect(await value('service_discovery_services_without_healthy_instances')).toBe(1);
    for (const id of ['a', 'c']) await server.http.delete(instancePath(name, id));
    expect(await value(of('critical'))).toBeUndefined();
    expect(await value('service_discovery_services_without_healthy_instances')).toBe(0);
    expect(await value('service_discovery_healthy_instances_ratio')).toBe(1);
  });

  it('counts what the registry refused by its code', async () => {
    await server.http.put(`${instancePath('nobody', 'x')}/heartbeat`);
    const refused =
      'service_discovery_registry_operations_total{operation="renew",backend="memory",result="not_found"}';
    expect(await value(refused)).toBe(1);
  });

  it('times requests by route, but not for how long somebody wanted to wait', async () => {
    const route = 'method="GET",route="/api/v1/services/:name/instances"';
    const name = fresh();
    await register(server.http, { service_name: name });
    const { revision } = await server.http.get(`/api/v1/services/${name}/instances`);
    await server.http.get(`/api/v1/services/${name}/instances?index=${revision}&wait=10ms`);
    await server.http.get('/nowhere');
    expect(await value(`service_discovery_http_requests_total{${route},status="200"}`)).toBe(2);
    expect(await value(`service_discovery_http_request_duration_seconds_count{${route}}`)).toBe(1);
    expect(await value('service_discovery_http_requests_total{method="none",route="none",status="404"}')).toBe(1);
  });

  it('has no more services than it may: the others are one', async () => {
    const names = Array.from({ length: 5 }, () => fresh('many'));
    for (const name of names) await register(server.http, { service_name: name });
    const text = await scrape();
    const labelled = new Set(
      Array.from(text.matchAll(/service_registrations_total\{service_name="(.*?)"\}/g), ([, name]) => name),
    );
    expect(labelled.size).toBe(4);
    expect(await value('active_service_instances{service_name="other",status="passing"}')).toBeGreaterThanOrEqual(2);
    expect(await value('service_registrations_total{service_name="other"}')).toBeGreaterThanOrEqual(2);
  });

  withPrometheus('is what promtool takes, but for the one name that is given', async () => {
    const { output } = await runPromtool(['check', 'metrics'], await scrape());
    expect(output.trim().split('\n')).toEqual([
      'service_discovery_registered_services_total non-counter metrics should not have "_total" suffix',
    ]);
  });

  it('is no larger for ten thousand services, and holds up nobody', async () => {
    const large = await TestServer.start();
    try {
      await register(large.http, { service_name: 'first' });
      const before = (await scrape(large)).length;
      const catalog = large.server.app.get(Catalog);
      for (let i = 0; i < 10_000; i++)
        catalog.apply({
          kind: 'upsert',
          instance: serviceInstance({ serviceName: `service-${i}`, version: `${i + 1_000}` }),
        });
      const warm = await scrape(large);
      expect(warm.length - before).toBeLessThan(64 * 1_024);
      const metrics = large.server.app.get<Metrics>(METRICS);
      const longest: number[] = [];
      for (let i = 0; i < 20; i++) longest.push(await longestTurn(() => metrics.exposition()));
      // The worst of them says more of a busy machine's other work.
      const ms = Math.min(...longest);
      console.log(`a scrape of ${warm.length} bytes holds up the loop for ${ms.toFixed(1)} ms`);
      expect(ms).toBeLessThan(10);
    } finally {
      await large.stop();
    }
  });

  it('is on a port of its own when it has one, and there alone', async () => {
    const apart = await TestServer.start({ METRICS_PORT: '0' });
    try {
      expectProblem(await apart.http.get('/metrics'), 404);
      const { port } = apart.server.app.get(MetricsServer);
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      expect(await answer.text()).toContain('service_discovery_registered_services_total 0');
      expect((await fetch(`http://127.0.0.1:${port}/api/v1/services`)).status).toBe(404);
    } finally {
      await apart.stop();
    }
  });
});
