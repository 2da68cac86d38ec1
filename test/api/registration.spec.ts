import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { body, fresh, instancePath, register, type Instance } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ SERVICE_TTL: '120' });
});
afterAll(() => server.stop());

describe('registration', () => {
  it('answers 201 with the instance, every default filled in', async () => {
    const answer = await server.http.post<Instance>('/api/v1/services', body({ service_name: 'orders' }));
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ success: true, message: 'registered' });
    expect(answer.data).toEqual({
      service_id: 'orders-127.0.0.1-8080',
      service_name: 'orders',
      address: '127.0.0.1',
      port: 8080,
      protocol: 'http',
      path: '',
      url: 'http://127.0.0.1:8080',
      tags: [],
      metadata: {},
      weight: 100,
      region: null,
      zone: null,
      status: 'passing',
      registered_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      last_heartbeat: expect.stringMatching(/Z$/),
      last_health_check: null,
      load_percentage: null,
      active_connections: null,
      ttl: 120,
      health_check: null,
      version: expect.any(String),
    });
  });

  it('takes /register for the same, and shows what was registered to the next reader', async () => {
    const name = fresh();
    const written = await server.http.post<Instance>('/api/v1/register', body({ service_name: name, id: 'a' }));
    expect(written.status).toBe(201);
    const read = await server.http.get<Instance>(instancePath(name, 'a'));
    expect(read.data).toEqual(written.data);
    expect(read.revision).toBe(written.revision);
  });

  it.each([
    { service_name: 'n', service_id: 'i', address: '127.0.0.1' },
    { name: 'n', id: 'i', host: '127.0.0.1' },
    { name: 'N', instance_id: 'i', address: '127.0.0.1' },
    { service_name: 'n', name: 'N', id: 'i', instance_id: 'i', host: '127.0.0.1', address: '127.0.0.1' },
  ])('takes the spelling %j', async (spelling) => {
    const answer = await server.http.post<Instance>('/api/v1/services', { port: 1, ...spelling });
    expect(answer.data).toMatchObject({ service_name: 'n', service_id: 'i', address: '127.0.0.1' });
  });

  it('refuses two spellings that disagree, and a missing one by our own name for it', async () => {
    expectBadInput(await server.http.post('/api/v1/services', body({ name: 'other' })), 'name');
    expectBadInput(await server.http.post('/api/v1/services', body({ service_name: undefined })), 'service_name');
    expectBadInput(await server.http.post('/api/v1/services', body({ address: undefined })), 'address');
  });

  it('counts null as absent, and ignores fields that it does not know', async () => {
    const nothing = { id: null, tags: null, metadata: null, weight: null, ttl: null, health_check: null };
    const written = await register(server.http, { service_name: fresh(), ...nothing, colour: 'red' });
    expect(written).toMatchObject({ tags: [], metadata: {}, weight: 100, ttl: 120, health_check: null });
    expect(written).not.toHaveProperty('colour');
  });

  it('makes the same id for a retry, so that there is one instance', async () => {
    const name = fresh('Retry');
    const first = await register(server.http, { service_name: name });
    const second = await register(server.http, { service_name: name });
    expect(second.service_id).toBe(first.service_id);
    expect(second.service_id).toBe(`${name.toLowerCase()}-127.0.0.1-8080`);
    const { data } = await server.http.get<{ total_instances: number }>(`/api/v1/services/${name}`);
    expect(data.total_instances).toBe(1);
  });

  it('folds names to lower case and leaves ids as they are', async () => {
    const name = fresh('MiXed');
    await register(server.http, { service_name: name, id: 'Id-A' });
    await register(server.http, { service_name: name, id: 'id-a' });
    const { data } = await server.http.get<Instance[]>(`/api/v1/services/${name.toUpperCase()}/instances`);
    expect(data.map(({ service_name, service_id }) => [service_name, service_id])).toEqual([
      [name.toLowerCase(), 'Id-A'],
      [name.toLowerCase(), 'id-a'],
    ]);
  });

  it.each(['a b', 'ü%41+x', '::1', 'x'.repeat(255), '😀'.repeat(255), 'constructor', '...'])(
    'takes the id %p',
    async (id) => {
      const name = fresh();
      const written = await register(server.http, { service_name: name, id });
      expect(written.service_id).toBe(id);
      expect((await server.http.get<Instance>(instancePath(name, id))).data.service_id).toBe(id);
      expect((await server.http.delete(instancePath(name, id))).status).toBe(204);
    },
  );

  it('keeps the name of its own replicas for itself', async () => {
    const answer = await server.http.post('/api/v1/services', body({ service_name: 'Service-Discovery' }));
    expectProblem(answer, 400, 'RESERVED_NAME');
    expectBadInput(answer, 'service_name');
  });

  it('leaves its own replicas to look after their registration', async () => {
    const advertised = await TestServer.start({ ADVERTISE_ADDRESS: '127.0.0.1' });
    const { http } = advertised;
    const own = async () => (await http.get<Instance[]>('/api/v1/services/service-discovery/instances')).json.data;
    await until(async () => Array.isArray(await own()));
    const [before] = (await own()) as Instance[];
    const path = instancePath('service-discovery', before!.service_id);
    for (const [method, each, sent] of [
      ['PATCH', path, { metadata: { health_checks: 'off' } }],
      ['PUT', `${path}/heartbeat`, { status: 'critical' }],
      ['PUT', `${path}/maintenance`, undefined],
      ['DELETE', path, undefined],
      ['DELETE', `/api/v1/deregister/${before!.service_id}`, undefined],
    ] as const)
      expectProblem(await http.send(method, each, { body: sent }), 403, 'RESERVED_NAME');
    expect((await http.get<Instance>(path)).data).toMatchObject({ version: before!.version, status: 'passing' });
    await advertised.stop();
  });
});

describe('attributes', () => {
  const attributes = { weight: 7, region: 'eu', zone: 'eu-1', protocol: 'https', path: '/v2' };

  it('come from the top level', async () => {
    const written = await register(server.http, { service_name: fresh(), ...attributes });
    expect(written).toMatchObject({ ...attributes, url: 'https://127.0.0.1:8080/v2', metadata: {} });
  });

  it('else from metadata, which keeps them as strings', async () => {
    const written = await register(server.http, { service_name: fresh(), metadata: attributes });
    expect(written).toMatchObject({ ...attributes, url: 'https://127.0.0.1:8080/v2' });
    expect(written.metadata).toEqual({ ...attributes, weight: '7' });
  });

  it('from the top level when both are there', async () => {
    const metadata = { weight: '1', region: 'us', protocol: 'grpc' };
    const written = await register(server.http, { service_name: fresh(), ...attributes, metadata });
    expect(written).toMatchObject({ ...attributes, metadata });
  });

  it('are checked wherever they stand', async () => {
    const wrong = await server.http.post('/api/v1/services', body({ metadata: { weight: 'heavy' } }));
    expectBadInput(wrong, 'metadata.weight');
    expectBadInput(await server.http.post('/api/v1/services', body({ weight: 65_536 })), 'weight');
    expectBadInput(await server.http.post('/api/v1/services', body({ weight: 1.5 })), 'weight');
  });

  it('make scalars of metadata strings and tags a set in their order', async () => {
    const metadata = { n: 1.5, yes: true, text: 'x', empty: '' };
    const written = await register(server.http, { service_name: fresh(), metadata, tags: ['b', 'a', 'b'] });
    expect(written.metadata).toEqual({ n: '1.5', yes: 'true', text: 'x', empty: '' });
    expect(written.tags).toEqual(['b', 'a']);
  });

  it('put an IPv6 address into brackets', async () => {
    const written = await register(server.http, { service_name: fresh(), address: '2001:db8::1', path: 'base' });
    expect(written.url).toBe('http://[2001:db8::1]:8080/base');
  });
});
