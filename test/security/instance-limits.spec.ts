import { afterEach, afterAll, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { body, instancePath, register } from '../support/instances.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer | undefined;
const clients: HttpClient[] = [];
afterEach(() => Promise.all([server?.stop(), ...clients.splice(0).map((client) => client.close())]));
afterAll(endProcesses);

const SERVICES = '/api/v1/services';

/** Registrars, by the names of their keys. */
async function startWith(limits: Readonly<Record<string, string>>, ...names: string[]) {
  const keys = await KeyFile.in(
    await temporaryFolder(),
    Object.fromEntries(names.map((name) => [name, { role: 'registrar' }])),
  );
  server = await TestServer.start({ ...keys.environment, ...limits });
  const { url } = server;
  const callers = names.map((name) => new HttpClient(url, bearer(keys.of(name))));
  clients.push(...callers);
  return callers;
}

async function statusesOf(client: HttpClient, bodies: readonly object[]): Promise<number[]> {
  const answers = await Promise.all(bodies.map((each) => client.post(SERVICES, each)));
  return answers.map(({ status }) => status);
}

const of = (service: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => body({ service_name: service, id: `${service}-${from + i}` }));
const times = (statuses: readonly number[], status: number) => statuses.filter((each) => each === status).length;

describe('MAX_INSTANCES_PER_SERVICE', () => {
  it('lets so many in of a burst, and each of them again', async () => {
    const [a] = await startWith({ MAX_INSTANCES_PER_SERVICE: '100' }, 'a');
    const statuses = await statusesOf(a!, of('web', 1_000));
    expect([times(statuses, 201), times(statuses, 429)]).toEqual([100, 900]);
    const { data } = await a!.get<readonly { readonly service_id: string }[]>(`${SERVICES}/web/instances`);
    expect(data).toHaveLength(100);
    const again = data.map(({ service_id: id }) => body({ service_name: 'web', id, port: 9 }));
    expect(times(await statusesOf(a!, again), 201)).toBe(100);
    await register(a!, { service_name: 'other' });
  });

  it('is named in the refusal, in a batch and through dialects too, until one has gone', async () => {
    const [a, b] = await startWith({ MAX_INSTANCES_PER_SERVICE: '2' }, 'a', 'b');
    const batch = await a!.post<readonly { readonly status: number; readonly problem?: { code: string } }[]>(
      `${SERVICES}/batch`,
      of('web', 3),
    );
    expect(batch.data.map(({ status }) => status)).toEqual([201, 201, 429]);
    expect(batch.data[2]!.problem).toMatchObject({ code: 'TOO_MANY_INSTANCES' });
    const refused = await b!.post(SERVICES, body({ service_name: 'web' }));
    expect(expectProblem(refused, 429, 'TOO_MANY_INSTANCES').detail).toContain('MAX_INSTANCES_PER_SERVICE');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const heartbeat = { service_name: 'web', instance_id: 'x', host: '127.0.0.1', port: 1, metadata: {} };
    expectProblem(await b!.post('/v1/discovery/register', heartbeat), 429, 'TOO_MANY_INSTANCES');
    const gateway = { service_name: 'web', host: '127.0.0.1', port: 1, protocol: 'http', path: '/', metadata: {} };
    expectProblem(await b!.post('/service-discovery/register', { ...gateway, tags: [] }), 429, 'TOO_MANY_INSTANCES');
    await a!.delete(instancePath('web', 'web-0'));
    await register(b!, { service_name: 'web' });
  });

  it('keeps no place for a registration that has failed', async () => {
    const [a] = await startWith({ MAX_INSTANCES_PER_SERVICE: '1' }, 'a');
    const tooLong = { service_name: 'web', metadata: { k: 'v'.repeat(513) } };
    expectProblem(await a!.post(SERVICES, body(tooLong)), 400);
    await register(a!, { service_name: 'web' });
  });
});

describe('MAX_INSTANCES_PER_CALLER', () => {
  it('counts what each has registered first, wherever, and who replaces it takes nothing over', async () => {
    const [a, b] = await startWith({ MAX_INSTANCES_PER_CALLER: '2' }, 'a', 'b');
    const statuses = await statusesOf(a!, [...of('web', 5), ...of('api', 5)]);
    expect([times(statuses, 201), times(statuses, 429)]).toEqual([2, 8]);
    const refused = expectProblem(await a!.post(SERVICES, body({ service_name: 'more' })), 429, 'TOO_MANY_INSTANCES');
    expect(refused.detail).toContain('MAX_INSTANCES_PER_CALLER');
    // b has room for two of its own still.
    expect((await b!.post(SERVICES, of('web', 1)[0]!)).status).toBe(201);
    expect(await statusesOf(b!, of('b', 2))).toEqual([201, 201]);
    await a!.delete(instancePath('web', 'web-0'));
    await register(a!, { service_name: 'more' });
    expectProblem(await a!.post(SERVICES, body({ service_name: 'one-more' })), 429, 'TOO_MANY_INSTANCES');
  });

  it('counts who brings no credential by address', async () => {
    server = await TestServer.start({ MAX_INSTANCES_PER_CALLER: '1', TRUSTED_PROXIES: '127.0.0.1' });
    const { http } = server;
    const from = (address: string, id: string) => http.post(SERVICES, body({ id }), { 'x-forwarded-for': address });
    expect((await from('192.0.2.1', 'a')).status).toBe(201);
    expectProblem(await from('192.0.2.1', 'b'), 429, 'TOO_MANY_INSTANCES');
    expect((await from('192.0.2.2', 'b')).status).toBe(201);
  });
});
