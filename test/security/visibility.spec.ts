import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Alerts } from '../../apps/server/src/alerts/alerts.js';
import { HttpClient } from '../support/http-client.js';
import {
  body,
  ids,
  instancePath,
  registerAll,
  type Instance,
  type Service,
  type ServiceSummary,
} from '../support/instances.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { WebSocketWatcher } from '../support/web-socket-watcher.js';

// Two teams on one server, by rules: each sees and changes what is its own. `a` may do so with services of its
// name, `tagged` with whatever bears its tag, `pod-1` with itself alone.

const RULES = [
  { comment: 'team a', callers: ['api-key:a', 'api-key:a-*'], role: 'operator', services: ['A-*'] },
  { callers: ['api-key:b'], role: 'operator', services: ['b-*', 'shared'] },
  { callers: ['api-key:tagged'], role: 'registrar', services: ['*'], tags: ['t'] },
  { callers: ['api-key:*/pod-1'], role: 'registrar', services: ['shared'], instances: ['{caller}'] },
];

let server: TestServer;
let rulesFile: string;
const clients: HttpClient[] = [];
let admin: HttpClient;
let a: HttpClient;
let alike: HttpClient;
let b: HttpClient;
let tagged: HttpClient;
let pod: HttpClient;
let key: (name: string) => string;

beforeAll(async () => {
  const folder = await temporaryFolder();
  const keys = await KeyFile.in(folder, {
    admin: { role: 'admin' },
    a: {},
    'a-2': {},
    b: {},
    tagged: {},
    'ns/pod-1': {},
  });
  rulesFile = join(folder, 'rules.json');
  await writeRules(RULES);
  server = await TestServer.start({ ...keys.environment, AUTH_RULES_FILE: rulesFile });
  key = (name) => keys.of(name);
  const as = (name: string) => {
    const client = new HttpClient(server.url, bearer(key(name)));
    clients.push(client);
    return client;
  };
  [admin, a, alike, b, tagged, pod] = [as('admin'), as('a'), as('a-2'), as('b'), as('tagged'), as('ns/pod-1')];
  await registerAll(admin, 'a-web', { a1: {}, both: {} });
  await registerAll(admin, 'b-web', { b1: {}, both: {} });
  await registerAll(admin, 'shared', { 'pod-1': {}, 'pod-2': { tags: ['t'] } });
  for (const name of ['a-web', 'b-web', '*']) await admin.put(`/api/v1/config/${name}`, { of: name });
});
afterAll(async () => {
  await Promise.all([server.stop(), ...clients.map((client) => client.close())]);
  await endProcesses();
});

async function writeRules(rules: readonly object[]): Promise<void> {
  await writeFile(`${rulesFile}.new`, JSON.stringify({ rules }));
  await rename(`${rulesFile}.new`, rulesFile);
}

async function namesSeenBy(client: HttpClient, path = '/api/v1/services'): Promise<string[]> {
  const answer = await client.get<ServiceSummary[]>(path);
  return answer.data.map(({ service_name }) => service_name);
}

describe('what may not be seen is left out', () => {
  it('of lists and counts, and of what others have left in the cache', async () => {
    // In turn, so that each would find what the one before has been answered.
    for (let turn = 0; turn < 2; turn++) {
      expect(await namesSeenBy(admin)).toEqual(['a-web', 'b-web', 'shared']);
      expect(await namesSeenBy(a)).toEqual(['a-web']);
      expect(await namesSeenBy(b)).toEqual(['b-web', 'shared']);
      const [shared, ...others] = (await tagged.get<ServiceSummary[]>('/api/v1/services')).data;
      expect([shared!.service_name, shared!.total_instances, others]).toEqual(['shared', 1, []]);
    }
  });

  it('of a service that may be seen in part', async () => {
    for (let turn = 0; turn < 2; turn++) {
      expect(ids((await b.get<Service>('/api/v1/services/shared')).data.instances)).toEqual(['pod-1', 'pod-2']);
      expect(ids((await tagged.get<Service>('/api/v1/services/shared')).data.instances)).toEqual(['pod-2']);
      expect(ids((await pod.get<Instance[]>('/api/v1/services/shared/instances')).data)).toEqual(['pod-1']);
    }
    expectProblem(await tagged.get(instancePath('shared', 'pod-1')), 404, 'INSTANCE_NOT_FOUND');
    expectProblem(await tagged.get('/api/v1/services/a-web'), 404, 'SERVICE_NOT_FOUND');
  });

  it('of picks and what explains them', async () => {
    for (let i = 0; i < 4; i++) {
      const { data, json } = await tagged.get<Instance>('/api/v1/services/shared/instance?explain=true');
      expect([data.service_id, JSON.stringify(json).includes('pod-1')]).toEqual(['pod-2', false]);
    }
    expectProblem(await a.get('/api/v1/services/b-web/instance'), 403);
    expectProblem(await tagged.post(`${instancePath('shared', 'pod-1')}/outcome`, { ok: false }), 404);
  });

  it('of health, by name and by id, and of metrics', async () => {
    expectProblem(await a.get('/api/v1/health/b-web'), 404);
    expectProblem(await a.get('/api/v1/health/b1'), 404);
    // What is not unique to others is, to somebody who sees one of them.
    expect((await a.get<{ service_name: string }>('/api/v1/health/both')).data.service_name).toBe('a-web');
    expectProblem(await admin.get('/api/v1/health/both'), 409);
    expect(await namesSeenBy(a, '/api/v1/metrics/services')).toEqual(['a-web']);
    expect(await namesSeenBy(tagged, '/api/v1/metrics/instances')).toEqual(['shared']);
    expectProblem(await a.get('/metrics'), 403);
  });

  it('of the older systems’ APIs', async () => {
    expect(Object.keys((await a.get('/v1/discovery/services')).json.services as object)).toEqual(['a-web']);
    expectProblem(await a.get('/v1/discovery/services/b-web'), 403);
    const { json } = await a.get('/service-discovery/health/aggregated');
    expect([json.total_services, Object.keys(json.services as object)]).toEqual([1, ['a-web']]);
  });

  it('of configuration, where a right to some instances is none to their service', async () => {
    expect((await a.get<{ config: object }>('/api/v1/config/a-web')).data.config).toEqual({ of: 'a-web' });
    for (const path of ['b-web', 'b-web/history', 'b-web/schema', 'B-WEB', '*', 'watch/b-web'])
      expectProblem(await a.get(`/api/v1/config/${path}`), 403);
    expectProblem(await tagged.get('/api/v1/config/shared'), 403);
    expectProblem(await tagged.get('/api/v1/services/shared/timeline'), 403);
    expectProblem(await a.put('/api/v1/config/*', {}), 403);
  });

  it('of what is watched, over event streams and WebSockets, with a ticket too', async () => {
    const { data } = await a.post<{ ticket: string }>('/api/v1/watch/tickets');
    const ticketed = await WebSocketWatcher.open(server.url, `watch/services?ticket=${data.ticket}`);
    const watching = (name: string) =>
      WebSocketWatcher.open(server.url, 'watch/services', { headers: bearer(key(name)) });
    const watchers = [await watching('a'), ticketed, await watching('admin'), await watching('tagged')];
    await registerAll(admin, 'b-late', { l1: {}, l2: { tags: ['t'] } });
    await registerAll(admin, 'a-late', { l1: {} });
    await until(() => watchers.slice(0, 3).every(({ state }) => state.has('a-late/l1')), 20_000);
    await until(() => watchers[3]!.state.has('b-late/l2'), 20_000);
    const [ofA, ofTicket, , ofTagged] = watchers.map(({ state }) => [...state.keys()].sort());
    expect(ofA).toEqual(['a-late/l1', 'a-web/a1', 'a-web/both']);
    expect(ofTicket).toEqual(ofA);
    expect(ofTagged).toEqual(['b-late/l2', 'shared/pod-2']);
    // Without its tag it has gone, to those who see it by that.
    await admin.patch(instancePath('b-late', 'l2'), { tags: [] });
    await until(() => !watchers[3]!.state.has('b-late/l2'), 20_000);
    await Promise.all(watchers.map((watcher) => watcher.close()));
  });

  it('of alerts about a service as a whole, where all of it may be seen', async () => {
    const watching = (name: string) =>
      WebSocketWatcher.open(server.url, 'watch/services', { headers: bearer(key(name)) });
    const [ofB, ofTagged] = [await watching('b'), await watching('tagged')];
    for (const each of [ofB, ofTagged]) await each.event(({ event }) => event === 'snapshot', 'the snapshot');
    const alerts = server.server.app.get(Alerts);
    for (const serviceName of ['b-web', undefined]) alerts.raise({ name: 'service_unhealthy', serviceName });
    for (const each of [ofB, ofTagged])
      await each.event((told) => told.event === 'alert' && told.service_name === undefined, 'what is for everybody');
    expect([ofB.names(), ofTagged.names()]).toEqual([
      ['snapshot', 'alert', 'alert'],
      ['snapshot', 'alert'],
    ]);
    await Promise.all([ofB, ofTagged].map((each) => each.close()));
  });

  it('of long polls', async () => {
    const { revision } = await a.get('/api/v1/services');
    const waiting = a.get<ServiceSummary[]>(`/api/v1/services?index=${revision}&wait=20s`);
    await registerAll(admin, 'b-poll', { x: {} });
    expect((await waiting).data.map(({ service_name }) => service_name).filter((name) => name.startsWith('b'))).toEqual(
      [],
    );
  });
});

describe('what may not be changed is not', () => {
  it('by registrations, one by one or in a batch, and through every API', async () => {
    const foreign = body({ service_name: 'b-web', id: 'x' });
    expectProblem(await a.post('/api/v1/services', foreign), 403, 'FORBIDDEN');
    expectProblem(await a.post('/api/v1/services', body({ service_name: 'B-Web', id: 'x' })), 403);
    const { data } = await a.post<{ status: number }[]>('/api/v1/services/batch', [
      foreign,
      body({ service_name: 'a-new', id: 'x' }),
    ]);
    expect(data.map(({ status }) => status)).toEqual([403, 201]);
    const old = { service_name: 'b-web', instance_id: 'x', host: '127.0.0.1', port: 1 };
    expectProblem(await a.post('/v1/discovery/register', old), 403);
    expectProblem(await a.post('/v1/discovery/heartbeat', { service_name: 'b-web', instance_id: 'b1' }), 404);
    expectProblem(
      await a.post('/service-discovery/register', { service_name: 'b-web', host: '127.0.0.1', port: 1 }),
      403,
    );
    expectProblem(await admin.get(instancePath('b-web', 'x')), 404);
  });

  it('by what is done to an instance', async () => {
    const path = instancePath('b-web', 'b1');
    expectProblem(await a.put(`${path}/heartbeat`), 403);
    expectProblem(await a.patch(path, { weight: 1 }), 403);
    expectProblem(await a.delete(path), 403);
    expectProblem(await a.put(`${path}/maintenance`), 403);
    expectProblem(await a.delete('/api/v1/deregister/b1'), 404);
    expectProblem(await a.post('/api/v1/health/b1/check'), 404);
    expect((await admin.get(path)).status).toBe(200);
  });

  it('beyond the tag that a right is bound to', async () => {
    expectProblem(await tagged.post('/api/v1/services', body({ service_name: 'shared', id: 'new' })), 403);
    // Not even by an instance of one's own in the place of another.
    expectProblem(
      await tagged.post('/api/v1/services', body({ service_name: 'shared', id: 'pod-1', tags: ['t'] })),
      403,
    );
    expectProblem(await tagged.put(`${instancePath('shared', 'pod-1')}/heartbeat`), 404);
    expectProblem(await tagged.patch(instancePath('shared', 'pod-2'), { tags: ['other'] }), 403);
    expect((await tagged.put(`${instancePath('shared', 'pod-2')}/heartbeat`)).status).toBe(200);
    expect((await tagged.patch(instancePath('shared', 'pod-2'), { tags: ['t', 'u'] })).status).toBe(200);
    expectProblem(await tagged.put(`${instancePath('shared', 'pod-2')}/maintenance`), 403);
  });

  it('by an instance, but for itself', async () => {
    expect((await pod.put(`${instancePath('shared', 'pod-1')}/heartbeat`)).status).toBe(200);
    expectProblem(await pod.put(`${instancePath('shared', 'pod-2')}/heartbeat`), 404);
    expectProblem(await pod.delete(instancePath('shared', 'pod-2')), 404);
    expectProblem(await pod.post('/api/v1/services', body({ service_name: 'shared', id: 'pod-10' })), 403);
    expect((await pod.delete(instancePath('shared', 'pod-1'))).status).toBe(204);
    expect((await pod.post('/api/v1/services', body({ service_name: 'shared', id: 'pod-1' }))).status).toBe(201);
  });
});

it('callers who may see the same share answers; who changed something is stored with it', async () => {
  const [one, other] = [await a.get('/api/v1/services/a-web'), await alike.get('/api/v1/services/a-web')];
  expect(other.text).toBe(one.text);
  const entries = await admin.get<{ actor: string }[]>('/api/v1/services/a-new/timeline');
  expect(entries.data[0]!.actor).toMatch(/^api-key:a@/);
});

it('rules count from when their file changes, for kept answers too', async () => {
  expect(await namesSeenBy(a)).not.toContain('b-web');
  await writeRules([...RULES, { callers: ['api-key:a'], role: 'reader', services: ['b-web'] }]);
  await until(async () => (await namesSeenBy(a)).includes('b-web'), 20_000);
  expectProblem(await a.delete(instancePath('b-web', 'b1')), 403);
  await writeRules(RULES);
  await until(async () => !(await namesSeenBy(a)).includes('b-web'), 20_000);
  expectProblem(await a.get('/api/v1/services/b-web'), 403);
});
