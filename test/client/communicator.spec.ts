import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { Registry } from 'prom-client';
import {
  CallFailedError,
  CircuitOpenError,
  DiscoveryClient,
  NoInstanceError,
  policyFrom,
  PRESETS,
  ServiceCommunicator,
  StatusError,
  type CallEvents,
  type CallPolicy,
} from '#client';
// Entries of their own, so that nobody needs what they tell.
import { callSpans } from '../../libs/client/opentelemetry.js';
import { callMetrics } from '../../libs/client/prometheus.js';
import { register } from '../support/instances.js';
import { endProcesses, ServiceProcess } from '../support/process.js';
import { Proxy } from '../support/proxy.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LONG_MS = 30_000;
const FAST: CallPolicy = { ...PRESETS.standard, baseDelayMs: 5, maxDelayMs: 20, deadlineMs: LONG_MS };

/** A service's instance: what it answers can be changed. */
class Backend {
  asked = 0;
  answer: RequestListener = (_request, response) => response.end(JSON.stringify({ from: this.id }));
  private constructor(
    readonly id: string,
    private readonly server: Server,
  ) {}

  static async start(service: string, id: string): Promise<Backend> {
    const listening = createServer((request, response) => {
      backend.asked++;
      backend.answer(request, response);
    }).listen(0, '127.0.0.1');
    const backend = new Backend(id, listening);
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    await register(server.http, { service_name: service, id, port, ttl: 300 });
    backends.push(backend);
    return backend;
  }

  failing(status = 500): void {
    this.answer = (_request, response) => response.writeHead(status).end();
  }

  slow(ms: number): void {
    const { answer } = this;
    this.answer = (request, response) => setTimeout(() => answer(request, response), ms);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}

let server: TestServer;
let way: Proxy;
let client: DiscoveryClient;
let backends: Backend[];
beforeEach(async () => {
  backends = [];
  server = await TestServer.start();
  way = await Proxy.to(Number(new URL(server.url).port));
  client = new DiscoveryClient({ servers: [`http://127.0.0.1:${way.port}`] });
  await client.ready();
});
afterEach(async () => {
  await client.close();
  await way.close();
  await Promise.all([endProcesses(), ...backends.map((backend) => backend.stop())]);
  await server.stop();
});

async function service(name: string, size: number): Promise<Backend[]> {
  const started = await Promise.all(Array.from({ length: size }, (_, i) => Backend.start(name, `${name}-${i}`)));
  await until(() => client.instances(name).length >= size, LONG_MS);
  return started;
}

describe('a call', () => {
  it('is answered by an instance, and says by whom', async () => {
    const [only] = await service('users', 1);
    only!.answer = (request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        response.setHeader('x-seen', `${request.method} ${request.url} ${String(request.headers['x-deadline-ms'])}`);
        response.end(text);
      });
    };
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    const call = { service: 'users', path: '/a?b=c', method: 'PUT', body: { d: 1 } };
    const response = await communicator.call(call);
    expect([response.status, response.serviceId, response.attempts, response.json()]).toEqual([
      200,
      'users-0',
      1,
      { d: 1 },
    ]);
    expect(response.headers.get('x-seen')).toMatch(/^PUT \/a\?b=c [1-9]\d*$/);
    expect(await communicator.callJson(call)).toEqual({ d: 1 });
    await expect(communicator.call({ service: 'nobody', path: '/' })).rejects.toThrow(NoInstanceError);
  });

  it('that is refused is no failure: it is not repeated', async () => {
    const [only] = await service('users', 1);
    only!.failing(404);
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    for (let i = 0; i < 10; i++) expect((await communicator.call({ service: 'users', path: '/' })).status).toBe(404);
    expect(only!.asked).toBe(10);
    await expect(communicator.callJson({ service: 'users', path: '/' })).rejects.toThrow(StatusError);
  });

  it('that fails goes to another instance, where it may be done twice', async () => {
    const [bad] = await service('users', 2);
    bad!.failing();
    const policy = { ...FAST, failureThreshold: 1_000 };
    const communicator = new ServiceCommunicator(client, { policy, strategy: 'round_robin' });
    const statuses = async (method: string, idempotent?: boolean) => {
      const all = new Set<number>();
      for (let i = 0; i < 4; i++)
        all.add((await communicator.call({ service: 'users', path: '/', method, idempotent })).status);
      return [...all].sort();
    };
    expect(await statuses('GET')).toEqual([200]);
    expect(await statuses('POST')).toEqual([200, 500]);
    expect(await statuses('POST', true)).toEqual([200]);
  });

  it('is given up with its signal, and with its time', async () => {
    const [only] = await service('users', 1);
    only!.answer = () => undefined;
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    const given = { service: 'users', path: '/' };
    await expect(communicator.call({ ...given, signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/);
    await expect(communicator.call({ ...given, deadlineMs: 100 })).rejects.toThrow(CallFailedError);
  });

  it('is repeated no more often than the budget has for it', async () => {
    for (const each of await service('users', 3)) each.failing();
    const policy = { ...FAST, failureThreshold: 10_000 };
    const communicator = new ServiceCommunicator(client, { policy });
    const calls = 100;
    for (let i = 0; i < calls; i++) await communicator.call({ service: 'users', path: '/' });
    const asked = backends.reduce((sum, each) => sum + each.asked, 0);
    expect(asked - calls).toBeGreaterThanOrEqual(20);
    expect(asked - calls).toBeLessThanOrEqual(30);
  });

  it('is repeated all the same where many fail at once, of what the calls before have paid', async () => {
    const [silent] = await service('users', 2);
    const policy = { ...FAST, failureThreshold: 10_000, attemptTimeoutMs: 2_000 };
    const communicator = new ServiceCommunicator(client, { policy, strategy: 'round_robin' });
    const calls = (count: number) => Array.from({ length: count }, () => ({ service: 'users', path: '/' }));
    await communicator.parallel(calls(400));
    silent!.answer = () => undefined;
    const results = await communicator.parallel(calls(60), 60);
    expect(results.filter(({ success }) => !success)).toEqual([]);
  });

  it('waits as long as it is asked to, where there is nobody else', async () => {
    const [only] = await service('users', 1);
    const { answer } = only!;
    only!.answer = (_request, response) => {
      only!.answer = answer;
      response.writeHead(503, { 'retry-after': '1' }).end();
    };
    const began = performance.now();
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    expect((await communicator.call({ service: 'users', path: '/' })).attempts).toBe(2);
    expect(performance.now() - began).toBeGreaterThan(990);
  });
});

describe('a hedge', () => {
  const call = { service: 'users', path: '/', hedgeAfterMs: 20 };
  type Told = Parameters<NonNullable<CallEvents['attempt']>>[0];

  /** Of two instances one never answers. */
  async function oneOfTwo(policy: Partial<CallPolicy> = {}) {
    const [silent] = await service('users', 2);
    const told: Told[] = [];
    const registry = new Registry();
    let hungUpOn = 0;
    silent!.answer = (_request, response) => response.on('close', () => hungUpOn++);
    const communicator = new ServiceCommunicator(client, {
      policy: { ...FAST, attemptTimeoutMs: LONG_MS, ...policy },
      strategy: 'round_robin',
      events: [{ attempt: (each) => told.push(each) }, callMetrics(registry)],
    });
    return { communicator, told, registry, silent: silent!, hungUpOn: () => hungUpOn };
  }

  it('asks another instance where one keeps silent, and hangs up on that one', async () => {
    const { communicator, told, registry, silent, hungUpOn } = await oneOfTwo();
    for (let i = 0; i < 2; i++)
      expect(await communicator.call(call)).toMatchObject({ status: 200, serviceId: 'users-1' });
    await until(() => hungUpOn() === silent.asked && told.length === backends[1]!.asked + silent.asked, LONG_MS);
    expect(silent.asked).toBeGreaterThanOrEqual(1);
    for (const { serviceId, ok, late } of told)
      expect([ok, late]).toEqual([serviceId !== silent.id, serviceId === silent.id]);
    expect(told.some(({ hedge, number }) => hedge && number === 2)).toBe(true);
    const text = await registry.metrics();
    const hedges = told.filter(({ hedge }) => hedge).length;
    expect(text).toContain(`service_discovery_client_hedges_total{service="users"} ${hedges}`);
    expect(text).toContain(`outcome="late"} ${silent.asked}`);
  });

  it('is none of what may not be done twice', async () => {
    const { communicator, told } = await oneOfTwo();
    const posts = [1, 2].map(() => communicator.call({ ...call, method: 'POST', deadlineMs: 500 }));
    const results = await Promise.allSettled(posts);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(told.map(({ hedge }) => hedge)).toEqual([false, false]);
  });

  it('is paid for like a retry', async () => {
    const { communicator, told } = await oneOfTwo({ retryShare: 0 });
    const unanswered = async () => {
      for (let i = 0; i < 50; i++) await communicator.call({ ...call, deadlineMs: 1_000 });
    };
    await expect(unanswered()).rejects.toThrow(CallFailedError);
    const hedges = told.filter(({ hedge }) => hedge).length;
    expect(hedges).toBeGreaterThanOrEqual(1);
    expect(hedges).toBeLessThanOrEqual(10);
  });
});

describe('breakers', () => {
  it('leave an instance alone that fails, and try it again', async () => {
    const [bad] = await service('users', 3);
    const healthy = bad!.answer;
    bad!.failing();
    const told: string[] = [];
    const communicator = new ServiceCommunicator(client, {
      policy: { ...FAST, failureThreshold: 3, recoveryMs: 500 },
      strategy: 'round_robin',
      events: { breaker: ({ key, open }) => told.push(`${key} ${open}`) },
    });
    const call = () => communicator.call({ service: 'users', path: '/' });
    while (told.length === 0) expect((await call()).status).toBe(200);
    expect(told).toEqual(['users/users-0 true']);
    expect(bad!.asked).toBe(3);
    bad!.answer = healthy;
    await until(async () => (await call()).serviceId === 'users-0', LONG_MS);
    expect(told).toEqual(['users/users-0 true', 'users/users-0 false']);
  });

  it('leave a service alone that fails altogether', async () => {
    const [only] = await service('users', 1);
    only!.failing();
    const policy = { ...FAST, failureThreshold: 3, recoveryMs: LONG_MS, maxAttempts: 1 };
    const communicator = new ServiceCommunicator(client, { policy });
    for (let i = 0; i < 3; i++) await communicator.call({ service: 'users', path: '/' });
    await expect(communicator.call({ service: 'users', path: '/' })).rejects.toThrow(CircuitOpenError);
    expect(only!.asked).toBe(3);
  });

  it('take calls to a service that fail together for one: a moment without the network is no outage', async () => {
    const [only] = await service('users', 1);
    only!.failing();
    const policy = { ...FAST, failureThreshold: 3, recoveryMs: LONG_MS, maxAttempts: 1, maxEjectedShare: 0 };
    const communicator = new ServiceCommunicator(client, { policy });
    const call = () => communicator.call({ service: 'users', path: '/' });
    const together = await Promise.all(Array.from({ length: 20 }, call));
    expect(together.map(({ status }) => status)).toEqual(Array(20).fill(500));
    for (let i = 0; i < 2; i++) expect((await call()).status).toBe(500);
    await expect(call()).rejects.toThrow(CircuitOpenError);
  });
});

describe('what is told', () => {
  async function retried(events: CallEvents): Promise<void> {
    const [bad] = await service('users', 2);
    bad!.failing();
    const policy = { ...FAST, failureThreshold: 1, recoveryMs: LONG_MS };
    const communicator = new ServiceCommunicator(client, { policy, strategy: 'round_robin', events: [{}, events] });
    for (let i = 0; i < 2; i++) await communicator.call({ service: 'users', path: '/' });
  }

  it('becomes metrics', async () => {
    const registry = new Registry();
    await retried(callMetrics(registry));
    const text = await registry.metrics();
    const PREFIX = 'service_discovery_client_';
    for (const line of [
      'attempt_duration_seconds_count{service="users",outcome="success"} 2',
      'attempt_duration_seconds_count{service="users",outcome="failure"} 1',
      'retries_total{service="users"} 1',
      'breaker_changes_total{service="users",of="instance",state="open"} 1',
    ])
      expect(text).toContain(PREFIX + line);
  });

  it('becomes spans', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    await retried(callSpans(provider.getTracer('test')));
    const spans = exporter.getFinishedSpans();
    expect(new Set(spans.map(({ name }) => name))).toEqual(new Set(['call users']));
    const failed = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect([spans.length, failed.map(({ attributes }) => attributes['service_discovery.instance'])]).toEqual([
      3,
      ['users-0'],
    ]);
    await provider.shutdown();
  });
});

describe('several calls', () => {
  it('go to the fallback where the primary fails', async () => {
    const [primary] = await service('users', 1);
    await service('cache', 1);
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    const ask = () => communicator.callWithFallback('users', 'cache', { path: '/' });
    expect(await ask()).toEqual({ from: 'users-0' });
    primary!.failing();
    expect(await ask()).toEqual({ from: 'cache-0' });
    primary!.failing(403);
    await expect(ask()).rejects.toThrow(StatusError);
  });

  it('at once have a result each, and no more than asked are under way', async () => {
    const [only] = await service('users', 1);
    let now = 0;
    let most = 0;
    only!.answer = (request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.writeHead(request.url === '/3' ? 404 : 200).end(JSON.stringify(request.url));
      }, 10);
    };
    const communicator = new ServiceCommunicator(client, { policy: FAST });
    const calls = Array.from({ length: 20 }, (_, i) => ({ service: 'users', path: `/${i}` }));
    const results = await communicator.parallel(calls, 4);
    expect(results.map(({ call_index }) => call_index)).toEqual(calls.map((_, i) => i));
    expect(results[2]).toEqual({ call_index: 2, success: true, data: '/2' });
    expect(results[3]).toMatchObject({ success: false, error: expect.any(StatusError) });
    expect(results.filter(({ success }) => !success)).toHaveLength(1);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe('a policy', () => {
  it('takes what the environment says, in seconds', () => {
    const said = {
      SERVICE_DISCOVERY_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '7',
      SERVICE_DISCOVERY_CIRCUIT_BREAKER_RECOVERY_TIMEOUT: '30',
      SERVICE_DISCOVERY_RETRY_MAX_ATTEMPTS: '4',
      SERVICE_DISCOVERY_RETRY_BASE_DELAY: '0.5',
      SERVICE_DISCOVERY_RETRY_MAX_DELAY: '',
    };
    const expected = { failureThreshold: 7, recoveryMs: 30_000, maxAttempts: 4, baseDelayMs: 500, maxDelayMs: 60_000 };
    expect(policyFrom(said)).toEqual({ ...PRESETS.standard, ...expected });
    expect(policyFrom({}, PRESETS.web)).toEqual(PRESETS.web);
    for (const bad of ['0', 'three', 'NaN'])
      expect(() => policyFrom({ SERVICE_DISCOVERY_RETRY_MAX_ATTEMPTS: bad })).toThrow(/RETRY_MAX_ATTEMPTS=/);
  });
});

it('keeps idempotent calls succeeding while instances die, hang and err, and every server is away', async () => {
  const dying = await ServiceProcess.start();
  await register(server.http, { service_name: 'users', id: 'dying', port: dying.port, ttl: 300 });
  const [erring, hanging] = await service('users', 19);
  let attempts = 0;
  const communicator = new ServiceCommunicator(client, {
    policy: { ...FAST, baseDelayMs: 50, attemptTimeoutMs: 5_000 },
    events: { attempt: () => attempts++ },
  });
  const CALLS = 3_000;
  const PER_SECOND = 250;
  let failed = 0;
  const calls: Promise<void>[] = [];
  for (let i = 0; i < CALLS; i++) {
    if (i === 500) await dying.kill();
    if (i === 1_000) erring!.failing();
    if (i === 1_500) await way.cut();
    if (i === 2_000) hanging!.answer = () => undefined;
    if (i === 2_500) await way.mend();
    calls.push(
      communicator.call({ service: 'users', path: '/' }).then(
        ({ ok }) => {
          if (!ok) failed++;
        },
        () => {
          failed++;
        },
      ),
    );
    if (i % 10 === 0) await sleep(10_000 / PER_SECOND);
  }
  await Promise.all(calls);
  expect(failed).toBeLessThanOrEqual(CALLS / 1_000);
  expect(attempts - CALLS).toBeLessThanOrEqual(CALLS * 0.2);
}, 120_000);
