import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { body, fresh, instancePath, register, report, type Instance } from '../support/instances.js';
import { expectBadInput } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ SERVICE_TTL: '120', HEALTH_CHECK_INTERVAL: '30', HEALTH_CHECK_TIMEOUT: '10' });
});
afterAll(() => server.stop());

const http = { type: 'http', http_path: '/health' };

describe('a lease', () => {
  it.each([
    ['the one that is given', { ttl: 30 }, 30],
    ['of a duration', { ttl: '1m30s' }, 90],
    ['of half seconds', { ttl: '5500ms' }, 5.5],
    ['of the default without any check', {}, 120],
    ['none with an active check', { health_check: http }, null],
    ['both with an active check and a ttl', { health_check: http, ttl: 10 }, 10],
    ['of a ttl check', { health_check: { type: 'ttl', ttl: '20s' } }, 20],
    ['of a ttl check that says none', { health_check: { type: 'ttl' } }, 120],
    ['the top level first', { ttl: 40, health_check: { type: 'ttl', ttl: '20s' } }, 40],
    ['of the default with a check that is off', { health_check: { ...http, enabled: false } }, 120],
  ])('is %s', async (_, over, ttl) => {
    const written = await register(server.http, { service_name: fresh(), ...over });
    expect(written.ttl).toBe(ttl);
  });

  it.each([
    [{ ttl: 4 }, 'ttl'],
    [{ ttl: 0 }, 'ttl'],
    [{ ttl: -1 }, 'ttl'],
    [{ ttl: '4999ms' }, 'ttl'],
    [{ ttl: 'soon' }, 'ttl'],
    [{ ttl: '366d' }, 'ttl'],
    [{ health_check: { type: 'ttl', ttl: 4 } }, 'health_check.ttl'],
  ])('is refused: %j', async (over, path) => {
    expectBadInput(await server.http.post('/api/v1/services', body(over)), path);
  });
});

describe('a health check', () => {
  const defaults = {
    interval: 30,
    timeout: 10,
    success_before_passing: 1,
    failures_before_critical: 2,
    deregister_critical_service_after: 120,
  };

  it.each([
    [{ http_path: '/ping' }, { ...defaults, type: 'http', http_path: '/ping' }],
    [{ url: 'http://127.0.0.1:1/x' }, { ...defaults, type: 'http', url: 'http://127.0.0.1:1/x' }],
    [{ address: '127.0.0.1:1' }, { ...defaults, type: 'tcp', address: '127.0.0.1:1' }],
    [{ ttl: '10s' }, { ...defaults, type: 'ttl' }],
    [{ type: 'tcp' }, { ...defaults, type: 'tcp' }],
    [{ type: 'http' }, { ...defaults, type: 'http' }],
    [
      { type: 'tcp', interval: '5s', failures_before_critical: 3, deregister_critical_service_after: 0 },
      // A timeout that nobody has asked for is never longer than the interval.
      {
        ...defaults,
        type: 'tcp',
        interval: 5,
        timeout: 5,
        failures_before_critical: 3,
        deregister_critical_service_after: 0,
      },
    ],
  ])('of %j', async (check, shown) => {
    const written = await register(server.http, { service_name: fresh(), health_check: check });
    expect(written.health_check).toEqual(shown);
  });

  it.each([
    [{}, 'health_check.type'],
    [{ type: 'carrier-pigeon' }, 'health_check.type'],
    [{ type: 'http', url: 'ftp://127.0.0.1' }, 'health_check.url'],
    [{ type: 'http', url: 'http://127.0.0.1', http_path: '/' }, 'health_check.http_path'],
    [{ type: 'tcp', address: 'nowhere' }, 'health_check.address'],
    [{ type: 'tcp', interval: '0.5s' }, 'health_check.interval'],
    [{ type: 'tcp', interval: '2s', timeout: '3s' }, 'health_check.timeout'],
    [{ type: 'tcp', failures_before_critical: 0 }, 'health_check.failures_before_critical'],
  ])('is refused: %j', async (check, path) => {
    expectBadInput(await server.http.post('/api/v1/services', body({ health_check: check })), path);
  });
});

describe('registering again', () => {
  it('replaces everything but when it was registered', async () => {
    const name = fresh();
    const first = await register(server.http, {
      service_name: name,
      id: 'a',
      tags: ['x'],
      metadata: { k: 'v' },
      weight: 5,
    });
    const second = await register(server.http, { service_name: name, id: 'a', port: 9090 });
    expect(second).toMatchObject({ tags: [], metadata: {}, weight: 100, port: 9090 });
    expect(second.registered_at).toBe(first.registered_at);
    expect(second.version).not.toBe(first.version);
  });

  it('with the same is no change at all', async () => {
    const again = { service_name: fresh(), id: 'a', tags: ['x'] };
    const first = await server.http.post<Instance>('/api/v1/services', body(again));
    const second = await server.http.post<Instance>('/api/v1/services', body(again));
    expect(second.status).toBe(201);
    expect(second.data.version).toBe(first.data.version);
    expect(second.revision).toBe(first.revision);
  });

  it('keeps the status while address, port and check are the same', async () => {
    const name = fresh();
    const same = { service_name: name, id: 'a' };
    await register(server.http, same);
    await report(server.http, name, 'a', 'critical');
    expect((await register(server.http, { ...same, tags: ['new'] })).status).toBe('critical');
    expect((await register(server.http, { ...same, port: 9090 })).status).toBe('passing');
    await report(server.http, name, 'a', 'warning');
    const checked = await register(server.http, { ...same, port: 9090, health_check: { type: 'ttl' } });
    expect(checked.status).toBe('passing');
  });

  it('takes the status that the body gives', async () => {
    const same = { service_name: fresh(), id: 'a' };
    await register(server.http, same);
    expect((await register(server.http, { ...same, status: 'warning' })).status).toBe('warning');
    expect((await register(server.http, { ...same, status: 'passing' })).status).toBe('passing');
  });

  it('keeps maintenance, whatever else changes', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    await server.http.put(`${instancePath(name, 'a')}/maintenance?reason=disk`);
    const again = await register(server.http, { service_name: name, id: 'a', port: 9090, status: 'passing' });
    expect(again).toMatchObject({ status: 'maintenance', maintenance_reason: 'disk' });
  });

  it('keeps tags that PATCH has set when enable_tag_override says so', async () => {
    const name = fresh();
    const own = { service_name: name, id: 'a', tags: ['own'] };
    await register(server.http, { ...own, enable_tag_override: true });
    await server.http.patch(instancePath(name, 'a'), { tags: ['patched'] });
    expect((await register(server.http, { ...own, enable_tag_override: true })).tags).toEqual(['patched']);
    expect((await register(server.http, own)).tags).toEqual(['own']);
  });
});
