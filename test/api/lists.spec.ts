import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  body,
  fresh,
  ids,
  instancePath,
  register,
  registerAll,
  report,
  type Instance,
  type Service,
  type ServiceSummary,
} from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ SERVICE_NAME: 'our-registry', ADVERTISE_ADDRESS: '127.0.0.1' });
  await registerAll(server.http, 'web', {
    w1: { tags: ['api', 'v1'], region: 'eu', zone: 'eu-1', metadata: { version: '1.0', team: 'red' } },
    w2: { tags: ['api', 'v2'], region: 'eu', zone: 'eu-2', metadata: { version: '2.0', team: 'red' } },
    w3: { tags: ['api', 'v2', 'canary'], metadata: { region: 'us', zone: 'us-1', version: '2.0' } },
    w4: { tags: [] },
  });
  await registerAll(server.http, 'db', { d1: { tags: ['v1'], region: 'eu' }, d2: { tags: ['v1'] } });
  await registerAll(server.http, 'Cache', { c1: { tags: ['api'] } });
  await report(server.http, 'web', 'w2', 'warning');
  await report(server.http, 'web', 'w3', 'critical');
  await report(server.http, 'cache', 'c1', 'critical');
  await server.http.put(`${instancePath('db', 'd2')}/maintenance`);
});
afterAll(() => server.stop());

async function summaries(query = ''): Promise<ServiceSummary[]> {
  return (await server.http.get<ServiceSummary[]>(`/api/v1/services${query}`)).data;
}

async function instances(query: string, service = 'web'): Promise<string[]> {
  const list = await server.http.get<Instance[]>(`/api/v1/services/${service}/instances${query}`);
  const one = await server.http.get<Service>(`/api/v1/services/${service}${query}`);
  expect(ids(one.data.instances)).toEqual(ids(list.data));
  expect(one.data.total_instances).toBe(list.data.length);
  return ids(list.data);
}

/** name:healthy/total, in the order of the answer. */
function counts(services: readonly ServiceSummary[]): string[] {
  return services.map((each) => `${each.service_name}:${each.healthy_instances}/${each.total_instances}`);
}

describe('the list of services', () => {
  it('is sorted by name, with counts, status and the union of tags', async () => {
    expect(await summaries()).toEqual([
      { service_name: 'cache', total_instances: 1, healthy_instances: 0, status: 'critical', tags: ['api'] },
      { service_name: 'db', total_instances: 2, healthy_instances: 1, status: 'passing', tags: ['v1'] },
      {
        service_name: 'web',
        total_instances: 4,
        healthy_instances: 3,
        status: 'warning',
        tags: ['api', 'canary', 'v1', 'v2'],
      },
    ]);
  });

  it.each([
    ['?tags=api', ['cache:0/1', 'web:2/3']],
    ['?tags=api,v2', ['web:1/2']],
    ['?tags=api,!canary', ['cache:0/1', 'web:2/2']],
    ['?tags=!api', ['db:1/2', 'web:1/1']],
    ['?tags=', ['cache:0/1', 'db:1/2', 'web:3/4']],
    ['?tags=%20api%20,%20v1%20', ['web:1/1']],
    ['?metadata.version=2.0', ['web:1/2']],
    ['?metadata.version=2.0&metadata.team=red', ['web:1/1']],
    ['?metadata.region=us', ['web:0/1']],
    ['?metadata.absent=', []],
    ['?region=eu', ['db:1/1', 'web:2/2']],
    ['?region=us', ['web:0/1']],
    ['?zone=us-1', ['web:0/1']],
    ['?region=eu&zone=eu-2', ['web:1/1']],
    ['?healthy_only=true', ['db:1/1', 'web:3/3']],
    ['?healthy_only=1&tags=api', ['web:2/2']],
    ['?healthy_only=false', ['cache:0/1', 'db:1/2', 'web:3/4']],
    ['?tags=api&region=nowhere', []],
  ])('%s keeps %j', async (query, expected) => {
    expect(counts(await summaries(query))).toEqual(expected);
  });

  it('counts, tags and instances are of those that match', async () => {
    const [web] = await summaries('?tags=v2&metadata.team=red&include=instances');
    expect(web).toMatchObject({ service_name: 'web', total_instances: 1, status: 'warning', tags: ['api', 'v2'] });
    expect(ids(web!.instances!)).toEqual(['w2']);
  });

  it('has instances only when they are asked for', async () => {
    expect((await summaries())[0]).not.toHaveProperty('instances');
    const all = await summaries('?include=instances');
    expect(all.map((each) => ids(each.instances!))).toEqual([['c1'], ['d1', 'd2'], ['w1', 'w2', 'w3', 'w4']]);
  });

  it('leaves our own replicas out unless they are asked for', async () => {
    const names = async (query: string) => (await summaries(query)).map(({ service_name }) => service_name);
    expect(await names('')).not.toContain('our-registry');
    expect(await names('?include=internal')).toContain('our-registry');
    expect(await names('?include=instances,internal')).toContain('our-registry');
  });

  it('is [] when there is none', async () => {
    const answer = await server.http.get('/api/v1/services?tags=nobody-has-this');
    expect([answer.status, answer.text]).toEqual([200, '{"success":true,"data":[]}']);
  });
});

describe('one service', () => {
  it.each([
    ['', ['w1', 'w2', 'w3', 'w4']],
    ['?tags=v2', ['w2', 'w3']],
    ['?tags=v2,!canary', ['w2']],
    ['?healthy_only=true', ['w1', 'w2', 'w4']],
    ['?metadata.team=red', ['w1', 'w2']],
    ['?region=eu&healthy_only=true', ['w1', 'w2']],
    ['?zone=us-1', ['w3']],
    ['?tags=nobody', []],
  ])('%s keeps %j', async (query, expected) => {
    expect(await instances(query)).toEqual(expected);
  });

  it('with a filter that leaves none is 200, without a service 404', async () => {
    const none = await server.http.get<Service>('/api/v1/services/web?tags=nobody');
    expect(none.status).toBe(200);
    expect(none.data).toEqual({
      service_name: 'web',
      total_instances: 0,
      healthy_instances: 0,
      status: 'critical',
      tags: [],
      instances: [],
    });
    for (const path of ['nobody', 'nobody/instances', 'nobody/instances?tags=x'])
      expectProblem(await server.http.get(`/api/v1/services/${path}`), 404, 'SERVICE_NOT_FOUND');
    expectProblem(await server.http.get(instancePath('web', 'nobody')), 404, 'INSTANCE_NOT_FOUND');
  });

  it.each([
    ['a\\,b', ['comma']],
    ['a,b', ['both']],
    ['a\\,b,!c', ['comma']],
    ['!a\\,b,a', ['both']],
    ['\\!a', ['bang']],
    ['!\\!a,!a', ['comma', 'slash']],
    ['a\\\\,!b', ['slash']],
    ['C:\\a', ['slash']],
  ])('have tags with commas and the like in them: %s', async (tags, expected) => {
    const name = 'escaped';
    const tagsOf = { comma: ['a,b'], both: ['a', 'b', 'c'], bang: ['!a'], slash: ['a\\', 'C:\\a'] };
    for (const [id, tags] of Object.entries(tagsOf)) await register(server.http, { service_name: name, id, tags });
    expect(await instances(`?tags=${encodeURIComponent(tags)}`, name)).toEqual(expected);
    for (const id of Object.keys(tagsOf)) await server.http.delete(instancePath(name, id));
  });

  it('may bear a name or a tag that JavaScript knows', async () => {
    const name = 'constructor';
    await register(server.http, {
      service_name: name,
      id: '__proto__',
      tags: ['toString'],
      metadata: { valueOf: 'x' },
    });
    expect(await instances('?tags=toString&metadata.valueOf=x', name)).toEqual(['__proto__']);
    await server.http.delete(instancePath(name, '__proto__'));
    expectProblem(await server.http.get('/api/v1/services/constructor'), 404);
    expectProblem(await server.http.get('/api/v1/services/tostring'), 404);
  });
});

describe('parameters', () => {
  it.each([
    ['/api/v1/services?healthyonly=true', 'healthyonly'],
    ['/api/v1/services?Healthy_Only=true', 'Healthy_Only'],
    ['/api/v1/services?healthy_only=yes', 'healthy_only'],
    ['/api/v1/services?healthy_only=true&healthy_only=true', 'healthy_only'],
    ['/api/v1/services?tags=a&tags=b', 'tags'],
    ['/api/v1/services?tags=a,,b', 'tags'],
    ['/api/v1/services?tags=!', 'tags'],
    ['/api/v1/services?metadata.a=1&metadata.a=2', 'metadata.a'],
    ['/api/v1/services?metadata.=1', 'metadata.'],
    ['/api/v1/services?metadata.__proto__=1', 'metadata.__proto__'],
    ['/api/v1/services?metadata=1', 'metadata'],
    ['/api/v1/services?region=', 'region'],
    ['/api/v1/services?include=everything', 'include'],
    ['/api/v1/services?include=', 'include'],
    ['/api/v1/services?__proto__=1', '__proto__'],
    ['/api/v1/services?constructor=1', 'constructor'],
    ['/api/v1/services/web?limit=1', 'limit'],
    ['/api/v1/services/web/instances?include=instances', 'include'],
    ['/api/v1/services/web/instances/w1?tags=api', 'tags'],
  ])('%s is refused', async (path, place) => {
    expectBadInput(await server.http.get(path), place);
  });

  it('are refused by writes too', async () => {
    expectBadInput(await server.http.post('/api/v1/services?force=true', body({ service_name: fresh() })), 'force');
    expectBadInput(await server.http.delete('/api/v1/services/web/instances/w1?force=true'), 'force');
  });
});
