import { describe, expect, it } from '@jest/globals';
import { keyOf, type RegistrySnapshot } from '#core';
import { settled } from './testing/manual-clock.js';
import { AWAY, instance, REFRESH_MS, snapshot, World } from './testing/world.js';

const A = instance('a', 1);
const KEY = keyOf(A);

describe('a catalog that hears of a change twice, late, or never', () => {
  it('shows a write at once, and no older event or list undoes it', async () => {
    const world = await World.with([A]);
    const written = instance('a', 12, { port: 2 });
    world.catalog.apply({ kind: 'upsert', instance: written });
    expect(world.catalog.get(KEY)!.instance.port).toBe(2);
    await world.upsert(instance('a', 11, { port: 1 }));
    world.lists([A], 11);
    await world.catalog.refresh();
    expect(world.catalog.get(KEY)!.instance.port).toBe(2);
  });

  it('tells its listeners of a write once', async () => {
    const world = await World.with([]);
    world.changes.length = 0;
    world.catalog.apply({ kind: 'upsert', instance: A });
    await world.upsert(A);
    world.lists([A], 11);
    await world.catalog.refresh();
    expect(world.changes).toHaveLength(1);
  });

  it('keeps what it has just written although an older list lacks it', async () => {
    const world = await World.with([]);
    world.catalog.apply({ kind: 'upsert', instance: instance('new', 12) });
    world.lists([], 11);
    await world.catalog.refresh();
    expect(world.shown()).toEqual(['new']);
    world.lists([], 12);
    await world.catalog.refresh();
    expect(world.shown()).toBeUndefined();
  });

  it('brings back nothing that was removed by a late event or an older list', async () => {
    const world = await World.with([A]);
    world.catalog.apply({ kind: 'remove', key: KEY, version: '12', cause: 'deregistered' });
    await world.upsert(instance('a', 11));
    world.lists([A], 11);
    await world.catalog.refresh();
    expect(world.shown()).toBeUndefined();
    await world.upsert(instance('a', 13));
    expect(world.shown()).toEqual(['a']);
  });

  it('does not show what had gone before it was ever seen here', async () => {
    const world = await World.with([]);
    await world.upsert(instance('older than the snapshot', 9));
    expect(world.shown()).toBeUndefined();
    await world.remove('late', 15, 'expired');
    await world.upsert(instance('late', 14));
    expect(world.shown()).toBeUndefined();
    world.backend.tell({ kind: 'live', asOf: '20' });
    await world.upsert(instance('older than the end of the outage', 19));
    expect(world.shown()).toBeUndefined();
  });

  it('ignores the removal of what has come back since', async () => {
    const world = await World.with([A]);
    world.catalog.apply({ kind: 'upsert', instance: instance('a', 13) });
    await world.remove('a', 12, 'deregistered');
    await world.remove('a', 12, 'expired');
    expect(world.shown()).toEqual(['a']);
  });

  it('heals an event that was lost, in both directions', async () => {
    const world = await World.with([A, instance('b', 2)]);
    world.lists([A, instance('c', 11)], 12);
    await world.clock.advance(REFRESH_MS);
    expect(world.shown()).toEqual(['a', 'c']);
    expect(world.news()).toEqual(['registered c', 'unknown b']);
  });

  it('heals a view that says something else of the same version', async () => {
    const world = await World.with([A]);
    world.lists([{ ...A, port: 9, changed: { ...A.changed, at: 99 } }], 12);
    await world.catalog.refresh();
    expect(world.catalog.get(KEY)!.instance.port).toBe(9);
  });

  it('makes no revision of a heartbeat, and lets no older one undo it', async () => {
    const world = await World.with([A]);
    const { revision } = world.catalog;
    world.changes.length = 0;
    await world.upsert({ ...A, vitals: { lastHeartbeat: 200, loadPercentage: 0.5 } });
    world.catalog.observe(KEY, { lastHealthCheck: 7 });
    await world.upsert({ ...A, vitals: { lastHeartbeat: 100, loadPercentage: 0.1 } });
    expect(world.catalog.get(KEY)!.instance.vitals).toEqual({
      lastHeartbeat: 200,
      loadPercentage: 0.5,
      lastHealthCheck: 7,
    });
    expect(world.catalog.revision).toBe(revision);
    expect(world.changes.map(({ kind }) => kind)).toEqual(['vitals', 'vitals']);
  });

  it('is not of a clock that was set back since', async () => {
    const world = await World.with([A]);
    const beat = (loadPercentage: number) => ({ lastHeartbeat: world.clock.now(), loadPercentage });
    await world.upsert({ ...A, vitals: beat(0.3) });
    world.clock.set(-3_600_000);
    await world.upsert({ ...A, vitals: beat(0.9) });
    expect(world.catalog.get(KEY)!.instance.vitals).toMatchObject(beat(0.9));
    await world.upsert({ ...A, vitals: { lastHeartbeat: world.clock.now() - 1_000, loadPercentage: 0.1 } });
    expect(world.catalog.get(KEY)!.instance.vitals).toMatchObject(beat(0.9));
    await world.catalog.stop();
  });

  it('lets no old load undo a newer one, whether a heartbeat or a probe has told it', async () => {
    const world = await World.with([A]);
    const loads: (number | undefined)[] = [];
    world.catalog.subscribe(() => loads.push(world.catalog.get(KEY)!.instance.vitals.loadPercentage));
    await world.upsert({ ...A, vitals: { lastHeartbeat: 100, loadPercentage: 0.95, loadAt: 100 } });
    world.catalog.observe(KEY, { lastHealthCheck: 150, loadPercentage: 0.1, loadAt: 150 });
    // A heartbeat without a load, and a patch: both tell again what is known.
    await world.upsert({ ...A, vitals: { lastHeartbeat: 200, loadPercentage: 0.95, loadAt: 100 } });
    const patched = { ...instance('a', 11, { tags: ['patched'] }), version: '11' };
    await world.upsert({ ...patched, vitals: { lastHeartbeat: 200, loadPercentage: 0.95, loadAt: 100 } });
    await world.upsert({ ...patched, vitals: { lastHeartbeat: 300, loadPercentage: 0.4, loadAt: 300 } });
    world.catalog.observe(KEY, { lastHealthCheck: 350 });
    expect(loads).toEqual([0.95, 0.1, 0.1, 0.1, 0.4, 0.4]);
  });

  it('goes on when a listener fails', async () => {
    const world = new World();
    world.catalog.subscribe(() => {
      throw new Error('a listener');
    });
    const heard: string[] = [];
    const unsubscribe = world.catalog.subscribe(({ kind }) => heard.push(kind));
    world.catalog.apply({ kind: 'upsert', instance: A });
    unsubscribe();
    world.catalog.apply({ kind: 'upsert', instance: instance('b', 2) });
    expect(heard).toEqual(['upsert']);
  });
});

describe('a refresh', () => {
  it('begins after the call, and is shared by all who call while one is under way', async () => {
    const world = new World();
    const begun: ((snapshot: RegistrySnapshot) => void)[] = [];
    world.backend.onList = () => new Promise((resolve) => begun.push(resolve));
    const done: string[] = [];
    const refresh = (name: string) => world.catalog.refresh().then(() => done.push(name));
    void refresh('first');
    void refresh('second');
    void refresh('third');
    expect(begun).toHaveLength(1);
    begun[0]!(snapshot([], 1));
    await settled();
    expect(done).toEqual(['first']);
    expect(begun).toHaveLength(2);
    void refresh('fourth');
    begun[1]!(snapshot([A], 2));
    await settled();
    expect(done).toEqual(['first', 'second', 'third']);
    begun[2]!(snapshot([A], 3));
    await settled();
    expect(done).toEqual(['first', 'second', 'third', 'fourth']);
    expect(world.backend.calls.list).toBe(3);
  });

  it('fails with the registry, and the next one is another', async () => {
    const world = new World();
    world.backend.onList = () => Promise.reject(AWAY);
    const both = [world.catalog.refresh(), world.catalog.refresh()];
    for (const each of both) await expect(each).rejects.toBe(AWAY);
    world.lists([A], 10);
    await world.catalog.refresh();
    expect(world.shown()).toEqual(['a']);
  });

  it('is no read where nobody else writes', async () => {
    const world = await World.with([instance('a', 1)]);
    Object.assign(world.backend, { capabilities: { ...world.backend.capabilities, replicas: false } });
    await world.catalog.refresh();
    expect(world.backend.calls.list).toBe(0);
    await world.catalog.stop();
  });

  it('gives up a registry that does not answer, and its late answer counts no more', async () => {
    const world = await World.with([]);
    let answer!: (snapshot: RegistrySnapshot) => void;
    world.backend.onList = () => new Promise((resolve) => (answer = resolve));
    const refresh = expect(world.catalog.refresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await world.clock.advance(10_000);
    await refresh;
    answer(snapshot([instance('late', 99)], 100));
    await settled();
    expect(world.shown()).toBeUndefined();
  });
});
