import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, instancePath, register, report, type Instance } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ HEALTH_CHECK_ENABLED: 'true' });
});
afterAll(() => server.stop());

async function instance(over: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const name = fresh();
  await register(server.http, { service_name: name, id: 'a', ...over });
  return instancePath(name, 'a');
}

async function beat(path: string, body?: unknown): Promise<Instance> {
  return (await server.http.put<Instance>(`${path}/heartbeat`, body)).data;
}

describe('a heartbeat', () => {
  it('renews: with a body, an empty one or none', async () => {
    const path = await instance();
    const { data: before } = await server.http.get<Instance>(path);
    await beat(path);
    await beat(path, {});
    const after = await server.http.send<Instance>('PUT', `${path}/heartbeat`, {
      headers: { 'content-type': 'application/json' },
    });
    expect(after.status).toBe(200);
    expect(Date.parse(after.data.last_heartbeat!)).toBeGreaterThanOrEqual(Date.parse(before.last_heartbeat!));
  });

  it('carries vitals, which stay until it says otherwise', async () => {
    const path = await instance();
    expect(await beat(path, { load_percentage: 0.25, active_connections: 12 })).toMatchObject({
      load_percentage: 0.25,
      active_connections: 12,
    });
    expect(await beat(path, { load_percentage: 1.5 })).toMatchObject({ load_percentage: 1.5, active_connections: 12 });
  });

  it('of vitals alone changes no version, no revision and no ETag', async () => {
    const path = await instance();
    const before = await server.http.get<Instance>(path);
    const answer = await server.http.put<Instance>(`${path}/heartbeat`, {
      load_percentage: 0.5,
      active_connections: 1,
    });
    expect(answer.data.version).toBe(before.data.version);
    expect(answer.revision).toBe(before.revision);
    const after = await server.http.get<Instance>(path);
    expect([after.etag, after.revision]).toEqual([before.etag, before.revision]);
    expect((await server.http.get(path, { 'if-none-match': before.etag })).status).toBe(304);
  });

  it('gives the status, which is the worst of its own and the probe’s', async () => {
    const path = await instance();
    const before = await server.http.get<Instance>(path);
    expect((await beat(path, { status: 'warning' })).status).toBe('warning');
    const after = await server.http.get<Instance>(path);
    expect(after.data.status).toBe('warning');
    expect(after.etag).not.toBe(before.etag);
    expect(after.revision).not.toBe(before.revision);
    expect((await beat(path, { status: 'passing' })).status).toBe('passing');
  });

  it('merges metadata: null removes, the rest stays', async () => {
    const path = await instance({ metadata: { keep: '1', drop: '2', change: '3' } });
    const { metadata } = await beat(path, { metadata: { drop: null, change: 4, add: true, absent: null } });
    expect(metadata).toEqual({ keep: '1', change: '4', add: 'true' });
  });

  it('of something unknown is 404: register again', async () => {
    expectProblem(await server.http.put(`${instancePath('nobody', 'a')}/heartbeat`), 404, 'INSTANCE_NOT_FOUND');
    const path = await instance();
    await server.http.delete(path);
    expectProblem(await server.http.put(`${path}/heartbeat`), 404, 'INSTANCE_NOT_FOUND');
  });

  it.each([
    [{ status: 'maintenance' }, 'status'],
    [{ status: 'fine' }, 'status'],
    [{ load_percentage: -1 }, 'load_percentage'],
    [{ load_percentage: '0.5' }, 'load_percentage'],
    [{ active_connections: 1.5 }, 'active_connections'],
    [{ metadata: { nested: {} } }, 'metadata.nested'],
  ])('is refused with %j', async (body, place) => {
    const path = await instance();
    expectBadInput(await server.http.put(`${path}/heartbeat`, body), place);
  });

  it.each([[[]], ['text'], [7], [true]])('is refused with a body that is no object: %j', async (body) => {
    const path = await instance();
    expectProblem(await server.http.put(`${path}/heartbeat`, JSON.stringify(body)), 400);
  });

  it('cannot make metadata outgrow its limits', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'v']));
    const path = await instance({ metadata });
    expectBadInput(await server.http.put(`${path}/heartbeat`, { metadata: { more: 'x' } }), 'metadata');
    expect(Object.keys((await beat(path, { metadata: { more: 'x', k0: null } })).metadata)).toHaveLength(60);
    expectBadInput(await server.http.put(`${path}/heartbeat`, { metadata: { k1: 'ü'.repeat(257) } }), 'metadata.k1');
  });

  it('does not end maintenance', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    await server.http.put(`${instancePath(name, 'a')}/maintenance`);
    await report(server.http, name, 'a', 'passing');
    expect((await server.http.get<Instance>(instancePath(name, 'a'))).data.status).toBe('maintenance');
  });
});
