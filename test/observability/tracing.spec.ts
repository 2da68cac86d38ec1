import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { COLLECTORS, spanOf, type Collector } from '../support/collector.js';
import { HttpClient } from '../support/http-client.js';
import { instancePath, register } from '../support/instances.js';
import { endProcesses, ServerProcess, ServiceProcess, TEST_MS, type Environment } from '../support/process.js';
import { until } from '../support/until.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endProcesses();
});

async function startCollector(): Promise<Collector> {
  const collector = await COLLECTORS[0]!.start();
  ends.push(() => collector.stop());
  return collector;
}

async function startServer(environment: Environment): Promise<{ server: ServerProcess; http: HttpClient }> {
  const server = await ServerProcess.start(environment);
  const http = new HttpClient(server.url);
  ends.push(() => http.close());
  return { server, http };
}

it(
  'what is not sent yet when the server is told to stop is sent',
  async () => {
    const collector = await startCollector();
    const { server, http } = await startServer({ ...collector.environment, OTEL_BSP_SCHEDULE_DELAY: '600000' });
    await http.get('/api/v1/services');
    expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await spanOf(collector, ({ name }) => name === 'GET /api/v1/services');
  },
  TEST_MS,
);

it(
  'a collector that is away is told once, and keeps nobody from being served or the server from stopping',
  async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const { server, http } = await startServer({
      TRACING_ENABLED: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '50',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    const complaints = () => server.log.filter(({ msg }) => msg.startsWith('spans cannot be exported'));
    for (let i = 0; i < 200; i++) expect((await http.get('/api/v1/services')).status).toBe(200);
    await server.logged(({ msg }) => msg.startsWith('spans cannot be exported'), 'that the collector is away');
    for (let i = 0; i < 200; i++) expect((await http.get('/api/v1/services')).status).toBe(200);
    expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(complaints()).toHaveLength(1);
  },
  TEST_MS,
);

it(
  'a probe that is due is a trace of its own, with what it has written',
  async () => {
    const collector = await startCollector();
    const { http } = await startServer(collector.environment);
    const service = await ServiceProcess.start();
    await service.answer({ status: 503 });
    await register(http, { service_name: 'web', id: 'a', port: service.port, health_check: { type: 'http' } });
    const written = await spanOf(collector, ({ name }) => name === 'memory update');
    const probe = await spanOf(collector, ({ id }) => id === written.parentId);
    expect(probe).toMatchObject({ name: 'probe http', parentId: undefined, traceId: written.traceId });
    expect(probe.attributes).toMatchObject({ 'service_discovery.service': 'web', 'server.port': String(service.port) });
  },
  TEST_MS,
);

it(
  'spans hold no secret',
  async () => {
    const PLANTED = 'planted-where-nobody-may-see-it';
    const collector = await startCollector();
    const { http } = await startServer({ ...collector.environment, SERVICE_DISCOVERY_SECRET: PLANTED });
    const headers = { authorization: `Bearer ${PLANTED}`, 'x-api-key': PLANTED, cookie: `session=${PLANTED}` };
    await http.get(`/api/v1/watch/services?ticket=${PLANTED}`, headers);
    await http.post(
      '/api/v1/services',
      { service_name: 'web', address: '127.0.0.1', port: 1, metadata: { password: PLANTED } },
      headers,
    );
    await http.put('/api/v1/config/web', { password: PLANTED }, headers);
    await http.get('/health/live', { 'x-request-id': 'the-last' });
    await spanOf(collector, ({ attributes }) => attributes['service_discovery.request_id'] === 'the-last');
    expect(collector.spans.map(({ name }) => name)).toContain('PUT /api/v1/config/:service');
    expect(JSON.stringify(collector.spans)).not.toContain(PLANTED);
  },
  TEST_MS,
);

/** Of somebody whose trace is recorded, or is not: the sampled flag of its headers says so. */
function under(traceId: string, recorded: boolean): Readonly<Record<string, string>> {
  return { traceparent: `00-${traceId}-00f067aa0ba902b7-${recorded ? '01' : '00'}` };
}

const newTrace = () => randomBytes(16).toString('hex');

describe.each<[Environment, { root: number; recorded: boolean | 'by its id'; unrecorded: boolean | 'by its id' }]>([
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, { root: 0, recorded: false, unrecorded: false }],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    { root: 0, recorded: true, unrecorded: false },
  ],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' },
    { root: 0.5, recorded: true, unrecorded: false },
  ],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' },
    { root: 0.5, recorded: 'by its id', unrecorded: 'by its id' },
  ],
])('with %j', (sampler, expected) => {
  it(
    'it records such a share of the traces that begin here, and of others what it should',
    async () => {
      const COUNT = 200;
      const collector = await startCollector();
      const { server, http } = await startServer({ ...collector.environment, ...sampler });
      const get = async (kind: string, headers: Readonly<Record<string, string>> = {}) =>
        http.get('/api/v1/services', { ...headers, 'x-request-id': kind });
      const traces = Array.from({ length: COUNT }, newTrace);
      for (const trace of traces) {
        await get('root');
        await get('recorded', under(trace, true));
        await get('unrecorded', under(trace, false));
      }
      const tracesOf = (kind: string) =>
        collector.spans
          .filter(({ attributes }) => attributes['service_discovery.request_id'] === kind)
          .map(({ traceId }) => traceId)
          .sort();
      if (expected.recorded === true) await until(() => tracesOf('recorded').length === COUNT, TEST_MS / 2);
      // What is left is sent.
      expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
      // Seven standard deviations off is no chance.
      expectShare(tracesOf('root').length, expected.root * COUNT, expected.root === 0.5 ? 50 : 0);
      for (const kind of ['recorded', 'unrecorded'] as const) {
        const recorded = tracesOf(kind);
        if (expected[kind] === 'by its id') expectShare(recorded.length, COUNT / 2, 50);
        else expect(recorded).toEqual(expected[kind] ? traces.toSorted() : []);
      }
      if (expected.recorded === 'by its id') expect(tracesOf('recorded')).toEqual(tracesOf('unrecorded'));
    },
    TEST_MS,
  );
});

function expectShare(count: number, wanted: number, within: number): void {
  expect(Math.abs(count - wanted)).toBeLessThanOrEqual(within);
}

it(
  'a webhook is told of an alert in the trace that it comes of',
  async () => {
    const told: IncomingHttpHeaders[] = [];
    const receiver = createServer(({ headers }, response) => {
      told.push(headers);
      response.end();
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    ends.push(() => void receiver.close());
    const collector = await startCollector();
    const { http } = await startServer({
      ...collector.environment,
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
      ALERT_WEBHOOK_SECRET: 'known to who is told',
    });
    await register(http, { service_name: 'web', id: 'a' });
    const trace = newTrace();
    await http.put(`${instancePath('web', 'a')}/heartbeat`, { load_percentage: 0.9 }, under(trace, true));
    await until(() => told.length === 1, TEST_MS / 2);
    const [, traceId, parent] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(told[0]!.traceparent))!;
    expect(traceId).toBe(trace);
    await spanOf(collector, (span) => span.traceId === trace && span.id === parent);
  },
  TEST_MS,
);
