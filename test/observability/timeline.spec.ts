import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { Catalog } from '#catalog';
import type { timelineAnswer } from '../../apps/server/src/api/v1/schemas/answers.js';
import { Timeline } from '../../apps/server/src/timeline/timeline.js';
import { serviceInstance } from '#core/testing';
import { fresh, instancePath, register, registerAll } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';

type Entry = z.output<typeof timelineAnswer>;

let server: TestServer;
let target: Target;
beforeAll(async () => {
  server = await TestServer.start({ HEALTH_CHECK_ENABLED: 'true' });
  target = await Target.start();
});
afterAll(() => Promise.all([server.stop(), target.stop()]));

const pathOf = (service: string) => `/api/v1/services/${service}/timeline`;

async function timelineOf(service: string): Promise<readonly Entry[]> {
  return (await server.http.get<Entry[]>(pathOf(service))).data;
}

/** What has happened, oldest first, as far as it is known by then. */
async function story(service: string, length: number): Promise<readonly Entry[]> {
  await until(async () => (await timelineOf(service)).length >= length, 30_000);
  return (await timelineOf(service)).toReversed();
}

describe('a timeline', () => {
  it('tells all that a service went through, with cause, actor and what the probe said, also when it is gone', async () => {
    const name = fresh();
    const check = {
      type: 'http',
      http_path: '/',
      interval: 1,
      failures_before_critical: 2,
      deregister_critical_service_after: 1,
    };
    target.status = 200;
    await register(server.http, { service_name: name, id: 'a', port: target.port, health_check: check });
    target.status = 503;
    await story(name, 3);
    target.status = 200;
    await story(name, 4);
    await server.http.put(`${instancePath(name, 'a')}/maintenance?reason=disk`);
    await server.http.delete(`${instancePath(name, 'a')}/maintenance`);
    target.status = 500;
    await story(name, 9);
    await register(server.http, { service_name: name, id: 'b' });
    await server.http.delete(instancePath(name, 'b'));
    const [probe, caller] = ['health-monitor', expect.stringMatching(/^anonymous@/)];
    expect(await story(name, 11)).toMatchObject([
      { service_id: 'a', cause: 'registered', actor: caller, before: null, status: 'passing' },
      { cause: 'status', actor: probe, before: 'passing', status: 'warning', output: expect.stringContaining('503') },
      { cause: 'status', actor: probe, before: 'warning', status: 'critical', output: expect.stringContaining('503') },
      { cause: 'status', actor: probe, before: 'critical', status: 'passing', output: expect.stringContaining('200') },
      { cause: 'maintenance', actor: caller, status: 'maintenance', detail: 'on: disk' },
      { cause: 'maintenance', actor: caller, before: 'maintenance', status: 'passing', detail: 'off' },
      { cause: 'status', status: 'warning', output: expect.stringContaining('500') },
      { cause: 'status', status: 'critical' },
      { cause: 'evicted', actor: probe, before: 'critical', status: null },
      { service_id: 'b', cause: 'registered' },
      { service_id: 'b', cause: 'deregistered', actor: caller, status: null },
    ]);
    expect((await server.http.get(`/api/v1/services/${name}`)).status).toBe(404);
  }, 90_000);

  it('tells what was held, and what became of it', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {} });
    const catalog = server.server.app.get(Catalog);
    const instances = ['a', 'b', 'c'].map((serviceId) => catalog.get({ serviceName: name, serviceId })!.instance);
    for (const key of instances) catalog.apply({ kind: 'remove', key, version: key.version, cause: 'expired' });
    catalog.apply({ kind: 'upsert', instance: { ...instances[0]!, version: `${instances[0]!.version}0` } });
    const told = (await timelineOf(name)).filter(({ cause }) => cause === 'held' || cause === 'released');
    expect(told).toMatchObject([
      { service_id: 'a', cause: 'released', actor: 'registry', status: 'passing', detail: expect.any(String) },
      { cause: 'held', status: 'passing' },
      { cause: 'held' },
      { cause: 'held' },
    ]);
  });

  it('comes in pages, newest first', async () => {
    const name = fresh();
    for (let i = 0; i < 5; i++) await register(server.http, { service_name: name, id: `i-${i}` });
    const all = await timelineOf(name);
    expect(all.map(({ service_id }) => service_id)).toEqual(['i-4', 'i-3', 'i-2', 'i-1', 'i-0']);
    const paged: Entry[] = [];
    for (let cursor = ''; ;) {
      const { data, json } = await server.http.get<Entry[]>(`${pathOf(name)}?limit=2${cursor}`);
      paged.push(...data);
      const { next_cursor } = json.page as { next_cursor: string | null };
      if (next_cursor === null) break;
      // What comes meanwhile is before the first page.
      await register(server.http, { service_name: name, id: `late-${paged.length}` });
      cursor = `&cursor=${next_cursor}`;
    }
    expect(paged).toEqual(all);
  });

  it('begins with what the registry keeps of those that were there before this server watched', async () => {
    const name = fresh();
    const changed = { cause: 'maintenance', actor: 'somebody', at: 1_000_000 } as const;
    const instance = serviceInstance({ serviceName: name, serviceId: 'old', version: '1', changed });
    const unseen = await TestServer.start();
    try {
      unseen.server.app.get(Catalog).apply({ kind: 'snapshot', instances: [instance], asOf: '1', incarnation: 'x' });
      const { data } = await unseen.http.get<Entry[]>(pathOf(name));
      expect(data).toMatchObject([{ service_id: 'old', cause: 'maintenance', actor: 'somebody' }]);
    } finally {
      await unseen.stop();
    }
  });

  it('is not there for a service of which nothing is known', async () => {
    expectProblem(await server.http.get(pathOf('never-was')), 404, 'SERVICE_NOT_FOUND');
  });
});

describe('what is remembered', () => {
  it('is bounded: of one service, and of all, where those to which nothing happens are forgotten first', () => {
    const timeline = new Timeline({ perService: 3, total: 6 });
    const happen = (serviceName: string, at: number) => {
      const event = { key: { serviceName, serviceId: 'x' }, cause: 'registered', actor: 'me', at } as const;
      timeline.see({ kind: 'upsert', revision: at, instance: serviceInstance({ serviceName }), held: false, event });
    };
    for (let i = 1; i <= 5; i++) happen('busy', i);
    expect(timeline.of('busy')!.map(({ at }) => at)).toEqual([5, 4, 3]);
    for (let i = 6; i <= 8; i++) happen('other', i);
    happen('busy', 9);
    happen('third', 10);
    happen('third', 11);
    expect(timeline.of('other')!.map(({ at }) => at)).toEqual([8]);
    expect(timeline.of('busy')!.map(({ at }) => at)).toEqual([9, 5, 4]);
    happen('third', 12);
    expect(timeline.of('other')).toBeUndefined();
  });
});
