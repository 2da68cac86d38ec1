import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { body, fresh, ids, instancePath, register, type Instance, type ServiceSummary } from '../support/instances.js';
import { expectBadInput } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

interface PageOf<T> {
  readonly items: T[];
  readonly next: string | null;
}

async function page<T>(path: string): Promise<PageOf<T>> {
  const answer = await server.http.get<T[]>(path);
  const { next_cursor: next } = answer.json.page as { next_cursor: string | null };
  return { items: answer.data, next };
}

/** Every page until the last, with what happens after each. */
async function pages<T>(path: string, between: () => Promise<unknown> = async () => undefined): Promise<T[][]> {
  const all: T[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { items, next }: PageOf<T> = await page<T>(cursor === '' ? path : `${path}&cursor=${cursor}`);
    all.push(items);
    cursor = next;
    await between();
  }
  return all;
}

async function service(count: number): Promise<string> {
  const name = fresh();
  const items = Array.from({ length: count }, (_, i) =>
    body({ service_name: name, id: `i${String(i).padStart(3, '0')}` }),
  );
  await server.http.post('/api/v1/services/batch', items);
  return name;
}

describe('pages of instances', () => {
  it('are as long as the limit says, and the last one says that it is', async () => {
    const name = await service(7);
    const all = await pages<Instance>(`/api/v1/services/${name}/instances?limit=3`);
    expect(all.map(ids)).toEqual([['i000', 'i001', 'i002'], ['i003', 'i004', 'i005'], ['i006']]);
    expect((await pages(`/api/v1/services/${name}/instances?limit=7`)).length).toBe(1);
  });

  it('are there only when somebody asks for them', async () => {
    const name = await service(2);
    expect((await server.http.get(`/api/v1/services/${name}/instances`)).json).not.toHaveProperty('page');
  });

  it('neither repeat nor hide what stays while others come and go', async () => {
    const name = await service(40);
    let step = 0;
    const churn = async () => {
      // One that was shown goes, one that was not yet shown goes, and one comes at either end.
      await server.http.delete(instancePath(name, `i${String(step).padStart(3, '0')}`));
      await server.http.delete(instancePath(name, `i${String(39 - step).padStart(3, '0')}`));
      await register(server.http, { service_name: name, id: `a${step}` });
      await register(server.http, { service_name: name, id: `z${step}` });
      step++;
    };
    const seen = (await pages<Instance>(`/api/v1/services/${name}/instances?limit=5`, churn)).flatMap(ids);
    expect(new Set(seen).size).toBe(seen.length);
    expect([...seen].sort()).toEqual(seen);
    const stayed = Array.from({ length: 40 }, (_, i) => `i${String(i).padStart(3, '0')}`).slice(step, 40 - step);
    expect(seen).toEqual(expect.arrayContaining(stayed));
  });

  it('go on after one whose last instance has gone', async () => {
    const name = await service(4);
    const { next } = await page<Instance>(`/api/v1/services/${name}/instances?limit=2`);
    await server.http.delete(instancePath(name, 'i001'));
    const rest = await page<Instance>(`/api/v1/services/${name}/instances?limit=2&cursor=${next!}`);
    expect(ids(rest.items)).toEqual(['i002', 'i003']);
  });

  it('take a filter along', async () => {
    const name = await service(4);
    await server.http.patch(instancePath(name, 'i001'), { tags: ['x'] });
    await server.http.patch(instancePath(name, 'i003'), { tags: ['x'] });
    const all = await pages<Instance>(`/api/v1/services/${name}/instances?tags=x&limit=1`);
    expect(all.flatMap(ids)).toEqual(['i001', 'i003']);
  });
});

describe('pages of services', () => {
  it('are in order of names', async () => {
    const mark = fresh('mark');
    const names = ['s.c', 's-a', 's_b', 's1', 's10', 's2'];
    for (const service_name of names) await register(server.http, { service_name, metadata: { mark } });
    const all = await pages<ServiceSummary>(`/api/v1/services?metadata.mark=${mark}&limit=2`);
    expect(all.flat().map(({ service_name }) => service_name)).toEqual([...names].sort());
    expect(all.length).toBe(3);
  });
});

describe('paging', () => {
  it.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=1.5', 'limit=', 'limit=ten', 'limit=1&limit=2'])(
    'refuses %s',
    async (query) => {
      expectBadInput(await server.http.get(`/api/v1/services?${query}`), 'limit');
    },
  );

  it.each(['', 'x', 'YWZ0ZXI6eA==', 'YWZ0ZXI', '%00', encodeURIComponent('after:x')])(
    'refuses the cursor %p',
    async (cursor) => {
      expectBadInput(await server.http.get(`/api/v1/services?limit=1&cursor=${cursor}`), 'cursor');
    },
  );
});
