import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, instancePath, register, registerAll, report, type Instance } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { Watcher, type WatcherOptions } from '../support/watcher.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const watchers: Watcher[] = [];
afterEach(() => Promise.all(watchers.splice(0).map((watcher) => watcher.close())));

async function watch(path: string, options?: WatcherOptions, of = server): Promise<Watcher> {
  const watcher = await Watcher.open(of.url, path, options);
  watchers.push(watcher);
  return watcher;
}

/** Waits until it stands where the server does: what was acknowledged before has been told. */
async function caughtUp(watcher: Watcher, ids: readonly string[]): Promise<void> {
  await watcher.until(() => watcher.ids().join() === ids.join(), `the state of ${ids.join()}`);
}

describe('a stream', () => {
  it('begins with what there is, and goes on with what changes', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: {} });
    const watcher = await watch(`services/${name}`);
    const snapshot = await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
    const list = await server.http.get<Instance[]>(`/api/v1/services/${name}/instances`);
    expect(snapshot).toEqual({
      event: 'snapshot',
      revision: list.revision,
      source: 'live',
      age_ms: 0,
      instances: list.data,
    });

    const c = await register(server.http, { service_name: name, id: 'c' });
    const upsert = await watcher.event(({ event }) => event === 'upsert', 'the news of c');
    expect(upsert).toMatchObject({ cause: 'registered', instance: c });
    await server.http.delete(instancePath(name, 'a'));
    const remove = await watcher.event(({ event }) => event === 'remove', 'the end of a');
    expect(remove).toEqual({
      event: 'remove',
      revision: (await server.http.get(`/api/v1/services/${name}`)).revision,
      cause: 'deregistered',
      service_name: name,
      service_id: 'a',
    });
    expect(watcher.ids()).toEqual(['b', 'c']);
  });

  it('of a service that does not exist yet begins empty, and stays when it goes', async () => {
    const name = fresh();
    const watcher = await watch(`services/${name}`);
    await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
    expect(watcher.events[0]!.instances).toEqual([]);
    for (const id of ['a', 'b']) {
      await register(server.http, { service_name: name, id });
      await caughtUp(watcher, [id]);
      await server.http.delete(instancePath(name, id));
      await caughtUp(watcher, []);
    }
    expect(watcher.names()).toEqual(['snapshot', 'upsert', 'remove', 'upsert', 'remove']);
  });

  it('of one service says nothing of others; one of all does', async () => {
    const [one, other] = [fresh(), fresh()];
    const [narrow, wide] = [await watch(`services/${one}`), await watch('services')];
    await register(server.http, { service_name: other, id: 'other' });
    await register(server.http, { service_name: one, id: 'one' });
    await caughtUp(narrow, ['one']);
    await wide.until(() => ['one', 'other'].every((id) => wide.ids().includes(id)), 'both');
    expect(narrow.names()).toEqual(['snapshot', 'upsert']);
  });

  it('is not woken by a heartbeat that changes nothing', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const watcher = await watch(`services/${name}`);
    await watcher.event(({ event }) => event === 'snapshot', 'the snapshot');
    for (let i = 0; i < 3; i++)
      await server.http.put(`${instancePath(name, 'a')}/heartbeat`, { load_percentage: i / 10 });
    await register(server.http, { service_name: name, id: 'b' });
    await caughtUp(watcher, ['a', 'b']);
    expect(watcher.names()).toEqual(['snapshot', 'upsert']);
  });

  it('keeps its filter: what leaves it is removed, what comes into it is new', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: { tags: ['y'] } });
    const watcher = await watch(`services/${name}?tags=x`);
    await caughtUp(watcher, ['a']);
    await server.http.patch(instancePath(name, 'b'), { tags: ['x'] });
    await caughtUp(watcher, ['a', 'b']);
    await server.http.patch(instancePath(name, 'a'), { tags: ['y'] });
    await caughtUp(watcher, ['b']);
    expect(watcher.events.at(-1)).toMatchObject({ event: 'remove', cause: 'filtered', service_id: 'a' });
    // What it does not see is no news.
    await server.http.patch(instancePath(name, 'a'), { weight: 5 });
    await server.http.delete(instancePath(name, 'a'));
    await server.http.delete(instancePath(name, 'b'));
    await caughtUp(watcher, []);
    expect(watcher.names()).toEqual(['snapshot', 'upsert', 'remove', 'remove']);
    expect(watcher.events.at(-1)).toMatchObject({ cause: 'deregistered', service_id: 'b' });
  });

  it('of the healthy ones follows their health', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { health_check: { type: 'ttl' } } });
    const watcher = await watch(`services?healthy_only=true&metadata.none=1`);
    const healthy = await watch(`services/${name}?healthy_only=true`);
    await caughtUp(healthy, ['a']);
    await report(server.http, name, 'a', 'critical');
    await caughtUp(healthy, []);
    await report(server.http, name, 'a', 'warning');
    await caughtUp(healthy, ['a']);
    expect(watcher.names()).toEqual(['snapshot']);
  });

  it.each([
    ['?since=5', 'since'],
    ['?healthy=1', 'healthy'],
    ['?since=0&since=0', 'since'],
    ['?wait=1', 'wait'],
    ['?tags=x&metadata.=1', 'metadata.'],
  ])('of %s is refused', async (query, place) => {
    for (const path of ['services', 'services/x'])
      expectBadInput(await server.http.get(`/api/v1/watch/${path}${query}`), place);
  });

  it('is for those who take events', async () => {
    for (const accept of ['text/html', 'text/plain, image/*'])
      expectProblem(await server.http.get('/api/v1/watch/services', { accept }), 406);
    const head = await server.http.send('HEAD', '/api/v1/watch/services');
    expect([head.status, head.type, head.text]).toEqual([200, 'text/event-stream', '']);
  });

  it('of a watcher who has left is forgotten', async () => {
    const watcher = await watch('services');
    await watcher.close();
    const open = async () => (await server.http.get('/metrics')).text.match(/open_streams (\d+)/)![1];
    await until(async () => (await open()) === '0');
  });
});

describe('whoever comes back', () => {
  it('hears what it has missed, the latest of each instance alone', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {}, c: {} });
    const first = await watch(`services/${name}`);
    await caughtUp(first, ['a', 'b', 'c']);
    await first.close();
    for (const weight of [1, 2, 3]) await server.http.patch(instancePath(name, 'a'), { weight });
    await server.http.delete(instancePath(name, 'b'));
    for (const options of [{ lastEventId: first.lastEventId! }, undefined]) {
      const query = options ? '' : `?since=${first.lastEventId}`;
      const again = await watch(`services/${name}${query}`, options);
      await again.event(({ event }) => event === 'live', 'the present');
      expect(again.names()).toEqual(['upsert', 'remove', 'live']);
      expect(again.events[0]!.instance).toMatchObject({ service_id: 'a', weight: 3 });
      expect(again.events[1]).toMatchObject({ service_id: 'b', cause: 'deregistered' });
    }
  });

  it('and has missed nothing is only told that the view is live', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const first = await watch(`services/${name}`);
    await caughtUp(first, ['a']);
    await register(server.http, { service_name: fresh() });
    const again = await watch(`services/${name}`, { lastEventId: first.lastEventId! });
    await again.event(({ event }) => event === 'live', 'the present');
    expect(again.names()).toEqual(['live']);
  });

  it('keeps its filter, whoever else watches', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: { tags: ['x'] }, b: { tags: ['x'] }, c: { tags: ['y'] } });
    const first = await watch(`services/${name}?tags=x`);
    await caughtUp(first, ['a', 'b']);
    await first.close();
    await server.http.patch(instancePath(name, 'a'), { tags: ['y'] });
    await server.http.patch(instancePath(name, 'a'), { weight: 7 });
    const other = await watch(`services/${name}?tags=x`);
    await caughtUp(other, ['b']);
    await server.http.patch(instancePath(name, 'c'), { tags: ['y', 'x'] });
    const again = await watch(`services/${name}?tags=x`, { lastEventId: first.lastEventId! });
    await again.event(({ event }) => event === 'live', 'the present');
    expect(again.events.map(({ event, cause }) => [event, cause])).toEqual([
      ['remove', 'filtered'],
      ['upsert', 'updated'],
      ['live', undefined],
    ]);
  });

  it('from another process, or from nowhere, begins anew', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    const { revision } = await server.http.get('/api/v1/services');
    const epoch = revision.split('.')[0]!;
    for (const [id, reason] of [
      ['abcdef.5', 'another epoch'],
      ['rubbish', 'another epoch'],
      [`${epoch}.999999`, 'too old'],
    ] as const) {
      const watcher = await watch(`services/${name}`, { lastEventId: id });
      const resync = await watcher.event(({ event }) => event === 'resync', 'the present');
      expect(resync).toMatchObject({ reason, revision });
      expect(watcher.ids()).toEqual(['a']);
    }
  });
});
