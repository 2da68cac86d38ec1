import { describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { createMetrics } from './index.js';

const none = { registeredServices: () => 0, heldInstances: () => 0, waitingRequests: () => 0, openStreams: () => 0 };

describe('createMetrics', () => {
  it('asks for the gauges at every scrape', async () => {
    let registered = 2;
    const metrics = createMetrics({
      registeredServices: () => registered,
      heldInstances: () => 1,
      waitingRequests: () => 0,
      openStreams: () => 0,
    });
    expect((await metrics.exposition()).body).toContain('\nservice_discovery_registered_services_total 2\n');
    registered = 5;
    const { body } = await metrics.exposition();
    expect(body).toContain('# TYPE service_discovery_registered_services_total gauge');
    expect(body).toContain('\nservice_discovery_registered_services_total 5\n');
    expect(body).toContain('\nservice_discovery_held_instances 1\n');
  });

  it('counts alerts and requests', async () => {
    const metrics = createMetrics(none);
    metrics.loadAlerts.inc();
    metrics.httpRequests.inc({ method: 'GET', route: '/api/v1/services', status: 200 });
    const { body } = await metrics.exposition();
    expect(body).toContain('\nservice_discovery_load_alerts_total 1\n');
    expect(body).toContain(
      '\nservice_discovery_http_requests_total{method="GET",route="/api/v1/services",status="200"} 1\n',
    );
  });

  it('tells of the process, in a text format with its content type', async () => {
    const { contentType, body } = await createMetrics({ ...none, prefix: 'sd_' }).exposition();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(/^sd_process_cpu_seconds_total /m);
    expect(body).toMatch(/^service_discovery_registered_services_total 0$/m);
  });

  it('keeps to itself: two do not meet, and the global registry stays empty', async () => {
    const [one, other] = [createMetrics(none), createMetrics(none)];
    one.loadAlerts.inc(7);
    expect((await other.exposition()).body).toContain('\nservice_discovery_load_alerts_total 0\n');
    expect(register.getMetricsAsArray()).toEqual([]);
  });
});
