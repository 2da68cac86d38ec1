import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Catalog } from '#catalog';
import { fresh, ids, instancePath, register, registerAll, type Instance, type Service } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

function waiting(of = server): number {
  return of.server.app.get(Catalog).waiting;
}

async function revision(): Promise<string> {
  return (await server.http.get('/api/v1/services')).revision;
}

/** A request that is being held: the answer comes with what happens next. */
async function held<Data>(path: string, wait = '60s', headers?: Record<string, string>) {
  const before = waiting();
  const separator = path.includes('?') ? '&' : '?';
  const answer = server.http.get<Data>(`${path}${separator}index=${await revision()}&wait=${wait}`, headers);
  await until(() => waiting() > before);
  return answer.then(
    (value) => ({ value }),
    (error: unknown) => Promise.reject(error as Error),
  );
}

/** Begins to hold, lets something happen, and gives the answer. */
async function afterwards<Data>(path: string, happens: () => Promise<unknown>) {
  const before = waiting();
  const separator = path.includes('?') ? '&' : '?';
  const answer = server.http.get<Data>(`${path}${separator}index=${await revision()}&wait=60s`);
  await until(() => waiting() > before);
  await happens();
  return answer;
}

describe('a long poll', () => {
  it('is answered by a change of its service', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const answer = await afterwards<Service>(`/api/v1/services/${name}`, () =>
      register(server.http, { service_name: name, id: 'b' }),
    );
    expect(ids(answer.data.instances)).toEqual(['a', 'b']);
    expect(answer.revision).toBe(await revision());
  });

  it.each([
    ['a list', '/api/v1/services'],
    ['instances', '/api/v1/services/NAME/instances'],
    ['one instance', '/api/v1/services/NAME/instances/a'],
    ['health', '/api/v1/health/NAME'],
    ['checks', '/api/v1/health/NAME/checks'],
  ])('of %s is answered too', async (_, path) => {
    const name = fresh();
    await registerAll(server.http, name, { a: { health_check: { type: 'ttl' } } });
    const answer = await afterwards(path.replace('NAME', name), () =>
      server.http.put(`${instancePath(name, 'a')}/heartbeat`, { status: 'critical' }),
    );
    expect(answer.text).toContain('"critical"');
  });

  it('does not miss a change that came just before', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {} });
    const before = await revision();
    await server.http.delete(instancePath(name, 'a'));
    await register(server.http, { service_name: name, id: 'b' });
    const { data } = await server.http.get<Service>(`/api/v1/services/${name}?index=${before}&wait=60s`);
    expect(ids(data.instances)).toEqual(['b']);
    // Nor that the service has gone altogether.
    const present = await revision();
    await server.http.delete(instancePath(name, 'b'));
    expectProblem(await server.http.get(`/api/v1/services/${name}?index=${present}&wait=60s`), 404);
  });

  it('is answered when the service goes', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const answer = await afterwards(`/api/v1/services/${name}`, () => server.http.delete(instancePath(name, 'a')));
    expectProblem(answer, 404, 'SERVICE_NOT_FOUND');
  });

  it('waits for a service that does not exist yet', async () => {
    const name = fresh();
    const answer = await afterwards<Service>(`/api/v1/services/${name}`, () =>
      register(server.http, { service_name: name, id: 'a' }),
    );
    expect(ids(answer.data.instances)).toEqual(['a']);
    const never = await server.http.get(`/api/v1/services/${fresh()}?index=${await revision()}&wait=50ms`);
    expectProblem(never, 404, 'SERVICE_NOT_FOUND');
  });

  it('keeps its filter', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: { tags: ['y'] } });
    const answer = await afterwards<Instance[]>(`/api/v1/services/${name}/instances?tags=x`, () =>
      register(server.http, { service_name: name, id: 'c', tags: ['x'] }),
    );
    expect(ids(answer.data)).toEqual(['a', 'c']);
  });

  it('with index=0, an index of the past or of another process is answered at once', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const epoch = (await revision()).split('.')[0]!;
    for (const index of ['0', `${epoch}.0`, 'abcdef.1', 'abcdef.999999'])
      expect((await server.http.get(`/api/v1/services/${name}?index=${index}&wait=60s`)).status).toBe(200);
  });

  it('is not answered by a change of another service: it times out with the same body', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const before = await server.http.get(`/api/v1/services/${name}`);
    const begun = performance.now();
    const answer = held(`/api/v1/services/${name}`, '400ms');
    await register(server.http, { service_name: fresh() });
    const { value } = await answer;
    expect([value.status, value.etag]).toEqual([200, before.etag]);
    expect(performance.now() - begun).toBeGreaterThan(390);
  });

  it('that times out is 304 for whoever has the content', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const { etag } = await server.http.get(`/api/v1/services/${name}`);
    const { value } = await held(`/api/v1/services/${name}`, '50ms', { 'if-none-match': etag });
    expect([value.status, value.text]).toEqual([304, '']);
  });

  it('is not woken by a heartbeat that changes nothing', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const begun = performance.now();
    const answer = held(`/api/v1/services/${name}`, '300ms');
    await server.http.put(`${instancePath(name, 'a')}/heartbeat`, { load_percentage: 0.9 });
    await answer;
    expect(performance.now() - begun).toBeGreaterThan(290);
  });

  it('wakes everybody who waits for the same', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const index = await revision();
    const all = Array.from({ length: 200 }, () => server.http.get(`/api/v1/services/${name}?index=${index}&wait=60s`));
    await until(() => waiting() >= 200);
    await register(server.http, { service_name: name, id: 'b' });
    const answers = await Promise.all(all);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]!.text).toContain('"service_id":"b"');
    expect(waiting()).toBe(0);
  });

  it('of a caller who has left is forgotten', async () => {
    const gone = new AbortController();
    const path = `/api/v1/services?index=${await revision()}&wait=60s`;
    const request = server.http.send('GET', path, { signal: gone.signal });
    await until(() => waiting() > 0);
    gone.abort();
    await expect(request).rejects.toThrow();
    await until(() => waiting() === 0);
  });

  it.each([
    ['wait=5s', 'wait'],
    ['index=0&wait=601', 'wait'],
    ['index=0&wait=10m1s', 'wait'],
    ['index=0&wait=-1', 'wait'],
    ['index=0&wait=soon', 'wait'],
    ['index=5', 'index'],
    ['index=0&index=0', 'index'],
  ])('%s is refused', async (query, place) => {
    for (const path of ['services', 'services/x', 'services/x/instances', 'services/x/instances/a', 'health/x'])
      expectBadInput(await server.http.get(`/api/v1/${path}?${query}`), place);
  });
});

describe('the server', () => {
  it('takes no more than it can hold: 503, and later again', async () => {
    const small = await TestServer.start({ MAX_WAITERS: '2' });
    try {
      const { revision: index } = await small.http.get('/api/v1/services');
      const path = `/api/v1/services?index=${index}&wait=60s`;
      const taken = [small.http.get(path), small.http.get(path)];
      await until(() => waiting(small) === 2);
      const refused = await small.http.get(path);
      expectProblem(refused, 503, 'BUSY');
      expect(refused.headers['retry-after']).toBe('1');
      await register(small.http);
      expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200]);
    } finally {
      await small.stop();
    }
  });

  it('answers what it holds when it stops', async () => {
    const stopping = await TestServer.start();
    const { revision: index } = await stopping.http.get('/api/v1/services');
    const answer = stopping.http.get(`/api/v1/services?index=${index}&wait=10m`);
    await until(() => waiting(stopping) === 1);
    await Promise.all([stopping.server.stop(), answer]);
    expect((await answer).status).toBe(200);
    await stopping.stop();
  });
});
