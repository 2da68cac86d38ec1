import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STRATEGIES } from '#balancing';
import { fresh, instancePath, register, registerAll, report, type Instance } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface Explain {
  readonly strategy: string;
  readonly reason: string;
  readonly candidates: readonly string[];
  readonly left_out: readonly { readonly service_id: string; readonly reason: string }[];
}

async function pick(name: string, query = ''): Promise<string> {
  return (await server.http.get<Instance>(`/api/v1/services/${name}/instance${query}`)).data.service_id;
}

async function picks(name: string, count: number, query = ''): Promise<string[]> {
  const picked: string[] = [];
  for (let i = 0; i < count; i++) picked.push(await pick(name, query));
  return picked;
}

function tally(picked: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of picked) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

describe('a pick', () => {
  it('is one instance, as it is, and not to be cached', async () => {
    const name = fresh();
    const written = await register(server.http, { service_name: name, id: 'a', tags: ['x'] });
    const answer = await server.http.get<Instance>(`/api/v1/services/${name}/instance`);
    expect(answer.data).toEqual(written);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-registry-source': 'live' });
    expect(answer.json).not.toHaveProperty('explain');
  });

  it('goes round in turn, exactly', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {} });
    const picked = await picks(name, 9, '?strategy=round_robin');
    expect(tally(picked)).toEqual({ a: 3, b: 3, c: 3 });
    expect(new Set(picked.slice(0, 3)).size).toBe(3);
    expect(picked.slice(3, 6)).toEqual(picked.slice(0, 3));
  });

  it('counts the turn for each filter by itself', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: { tags: ['x'] }, c: {}, d: {} });
    const mixed: string[] = [];
    for (let i = 0; i < 4; i++) {
      mixed.push(await pick(name, '?tags=x'));
      await pick(name);
    }
    expect(tally(mixed)).toEqual({ a: 2, b: 2 });
  });

  it('by many at once is shared out evenly too', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {}, d: {} });
    const picked = await Promise.all(Array.from({ length: 100 }, () => pick(name)));
    expect(tally(picked)).toEqual({ a: 25, b: 25, c: 25, d: 25 });
  });

  it('is of what the filter lets through', async () => {
    const name = fresh();
    await registerAll(server.http, name, {
      a: { tags: ['x', 'y'], metadata: { v: '1' } },
      b: { tags: ['x'], metadata: { v: '1' } },
      c: { tags: ['y'] },
    });
    expect(tally(await picks(name, 4, '?tags=x,y'))).toEqual({ a: 4 });
    expect(tally(await picks(name, 4, '?tags=x,!y'))).toEqual({ b: 4 });
    expect(tally(await picks(name, 4, '?metadata.v=1'))).toEqual({ a: 2, b: 2 });
    expect(tally(await picks(name, 4, '?exclude=a,c'))).toEqual({ b: 4 });
    await registerAll(server.http, name, { 'd,e': {} });
    expect(tally(await picks(name, 4, `?exclude=a,c,${encodeURIComponent('d\\,e')}`))).toEqual({ b: 4 });
    expect(tally(await picks(name, 4, '?exclude=nobody'))).not.toHaveProperty('nobody');
  });

  it.each(STRATEGIES.map(({ name }) => name))('by %s is never critical, in maintenance or gone', async (strategy) => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, critical: {}, away: {}, warning: {} });
    await pick(name, `?strategy=${strategy}`);
    await report(server.http, name, 'critical', 'critical');
    await report(server.http, name, 'warning', 'warning');
    await server.http.put(`${instancePath(name, 'away')}/maintenance`);
    const query = (i: number) => `?strategy=${strategy}&key=${i}`;
    const picked: string[] = [];
    for (let i = 0; i < 40; i++) picked.push(await pick(name, query(i)));
    expect(['a', 'b', 'warning']).toEqual(expect.arrayContaining(picked));
    await server.http.delete(instancePath(name, 'a'));
    await report(server.http, name, 'warning', 'critical');
    for (let i = 0; i < 10; i++) expect(await pick(name, query(i))).toBe('b');
  });

  it('of a key goes to the same instance', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {} });
    const keys = Array.from({ length: 30 }, (_, i) => `?strategy=consistent_hash&key=user-${i}`);
    const first = await Promise.all(keys.map((query) => pick(name, query)));
    expect(await Promise.all(keys.map((query) => pick(name, query)))).toEqual(first);
    expect(new Set(first).size).toBe(3);
    // Without a key, the caller's address is one.
    expect(new Set(await picks(name, 5, '?strategy=consistent_hash')).size).toBe(1);
  });

  it('prefers what is near to the caller, and filters nobody for that', async () => {
    const name = fresh();
    await registerAll(server.http, name, {
      near: { region: 'eu', zone: 'eu-1' },
      next: { region: 'eu', zone: 'eu-2' },
      far: { region: 'us', zone: 'us-1' },
    });
    const from = '?strategy=geographic&region=eu&zone=eu-1';
    expect(tally(await picks(name, 3, from))).toEqual({ near: 3 });
    expect(tally(await picks(name, 3, `${from}&exclude=near`))).toEqual({ next: 3 });
    expect(tally(await picks(name, 3, `${from}&exclude=near,next`))).toEqual({ far: 3 });
  });

  it('explains itself', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: { tags: ['x'] }, c: {}, d: { tags: ['x'] } });
    await report(server.http, name, 'd', 'critical');
    const answer = await server.http.get<Instance>(`/api/v1/services/${name}/instance?tags=x&exclude=b&explain=1`);
    expect(answer.data.service_id).toBe('a');
    const explain = answer.json.explain as Explain;
    expect(explain).toEqual({
      strategy: 'round_robin',
      reason: expect.any(String),
      candidates: ['a'],
      left_out: [
        { service_id: 'b', reason: expect.stringContaining('excluded') },
        { service_id: 'c', reason: expect.stringContaining('tag x') },
        { service_id: 'd', reason: expect.stringContaining('critical') },
      ],
    });
  });

  it('is 404 when nobody is fit, which is not the same as no service', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a', status: 'critical' });
    expectProblem(await server.http.get(`/api/v1/services/${name}/instance`), 404, 'NO_HEALTHY_INSTANCES');
    expectProblem(await server.http.get('/api/v1/services/nobody/instance'), 404, 'SERVICE_NOT_FOUND');
    await register(server.http, { service_name: name, id: 'b' });
    for (const query of ['tags=x', 'exclude=b', 'metadata.v=1'])
      expectProblem(await server.http.get(`/api/v1/services/${name}/instance?${query}`), 404, 'NO_HEALTHY_INSTANCES');
  });

  it.each([
    ['strategy=psychic', 'strategy'],
    ['strategy=', 'strategy'],
    ['strategy=constructor', 'strategy'],
    ['healthy_only=false', 'healthy_only'],
    ['explain=perhaps', 'explain'],
    ['exclude=a/b', 'exclude.0'],
    ['key=', 'key'],
    ['index=0', 'index'],
  ])('with %s is refused', async (query, place) => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    expectBadInput(await server.http.get(`/api/v1/services/${name}/instance?${query}`), place);
  });

  it('follows the default that the operator has set', async () => {
    const hashing = await TestServer.start({ DEFAULT_STRATEGY: 'consistent_hash' });
    try {
      await registerAll(hashing.http, 'x', { a: {}, b: {}, c: {} });
      const answers = await Promise.all(
        [1, 2, 3, 4].map(() => hashing.http.get<Instance>('/api/v1/services/x/instance?key=k&explain=1')),
      );
      expect(new Set(answers.map(({ data }) => data.service_id)).size).toBe(1);
      expect(answers[0]!.json.explain).toMatchObject({ strategy: 'consistent_hash' });
    } finally {
      await hashing.stop();
    }
  });
});
