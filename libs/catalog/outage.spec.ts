import { describe, expect, it } from '@jest/globals';
import { silentLogger, type Logger } from '#core';
import { settled } from './testing/manual-clock.js';
import { AWAY, instance, REFRESH_MS, snapshot, World } from './testing/world.js';

const A = instance('a', 1);
const B = instance('b', 2);

describe('a catalog whose registry is away', () => {
  it('has nothing to say before the first snapshot', async () => {
    const { catalog, backend } = new World();
    catalog.start();
    await settled();
    expect(catalog.freshnessNow()).toMatchObject({ source: undefined });
    backend.tell({ kind: 'stale', error: AWAY });
    await settled();
    expect(catalog.freshnessNow()).toEqual({ source: undefined, ageMs: 0, reason: AWAY.message });
  });

  it('shows the last known good, older and older, and takes nothing away', async () => {
    const world = await World.with([A, B]);
    expect(world.catalog.freshnessNow()).toEqual({ source: 'live', ageMs: 0 });
    await world.away();
    await world.clock.advance(10 * 60_000);
    const { source, ageMs, reason } = world.catalog.freshnessNow();
    expect({ source, reason }).toEqual({ source: 'stale', reason: AWAY.message });
    expect(ageMs).toBeGreaterThanOrEqual(10 * 60_000);
    expect(ageMs).toBeLessThan(10 * 60_000 + 5_000);
    expect(world.shown()).toEqual(['a', 'b']);
    expect(world.news()).toEqual([]);
  });

  it('says once that it lost the registry, and once that it is back', async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields: object, message: string) => warnings.push(message) };
    const world = await World.with([A], { logger });
    world.changes.length = 0;
    await world.away();
    await world.away();
    await world.clock.advance(3 * REFRESH_MS);
    expect(warnings).toEqual(['the registry is away: answers are the last known good']);
    world.lists([A], 10);
    await world.clock.advance(3_000);
    await world.snapshot([A], 10);
    expect(world.changes.filter(({ kind }) => kind === 'freshness')).toEqual([
      { kind: 'freshness', live: false },
      { kind: 'freshness', live: true },
    ]);
  });

  it('empties when everything was scaled to zero', async () => {
    const world = await World.with([A, B]);
    await world.snapshot([], 20);
    expect(world.shown()).toBeUndefined();
    expect(world.catalog.serviceNames()).toEqual([]);
    expect(world.catalog.freshnessNow().source).toBe('live');
    expect(world.news()).toEqual(['unknown a', 'unknown b']);
  });

  it('comes back to the truth after a gap, deletions included', async () => {
    const world = await World.with([A, B]);
    await world.away();
    const changed = instance('b', 12, { tags: ['changed'] });
    world.lists([changed], 20);
    await world.snapshot([changed, instance('c', 11)], 20);
    expect(world.shown()).toEqual(['b', 'c']);
    expect(world.catalog.get(B)!.instance.tags).toEqual(['changed']);
    expect(world.news()).toEqual(['registered b', 'registered c', 'unknown a']);
  });

  it('needs no snapshot when nothing was lost', async () => {
    const world = await World.with([A]);
    await world.away();
    world.lists([A, B], 11);
    await world.upsert(B);
    world.backend.tell({ kind: 'live', asOf: '11' });
    await world.clock.advance(5_000);
    expect(world.catalog.freshnessNow().source).toBe('live');
  });

  it('is not live again before the registry answers, though the watch goes on', async () => {
    const world = await World.with([A]);
    await world.away();
    await world.snapshot([A], 10);
    await world.clock.advance(5_000);
    await world.snapshot([A], 10);
    expect(world.catalog.freshnessNow()).toMatchObject({ source: 'stale', reason: AWAY.message });
  });

  it('finds a registry that is frozen within 5 s, and reads everything before it believes in it again', async () => {
    const world = await World.with([A, B]);
    world.backend.onPing = () => new Promise(() => undefined);
    world.backend.onList = () => new Promise(() => undefined);
    await world.clock.advance(5_000);
    expect(world.catalog.freshnessNow().source).toBe('stale');
    world.backend.onPing = () => Promise.resolve();
    await world.clock.advance(9_000);
    expect(world.catalog.freshnessNow().source).toBe('stale');
    world.lists([B], 15);
    await world.clock.advance(15_000);
    expect(world.catalog.freshnessNow().source).toBe('live');
    expect(world.shown()).toEqual(['b']);
  });

  it('takes up a watch that broke or ended, less and less often', async () => {
    const world = await World.with([A]);
    world.backend.fail(AWAY);
    await settled();
    expect(world.catalog.freshnessNow().source).toBe('stale');
    await world.clock.advance(100);
    expect(world.backend.calls.watch).toBe(2);
    for (let i = 0; i < 20; i++) {
      world.backend.fail(AWAY);
      await world.clock.advance(2_000);
    }
    const { watch } = world.backend.calls;
    await world.backend.stop();
    await world.clock.advance(1_900);
    expect(world.backend.calls.watch).toBe(watch);
    await world.clock.advance(200);
    expect(world.backend.calls.watch).toBe(watch + 1);
    await world.snapshot([A], 10);
    expect(world.catalog.freshnessNow().source).toBe('live');
    world.backend.fail(AWAY);
    await world.clock.advance(100);
    expect(world.backend.calls.watch).toBe(watch + 2);
  });

  it('has a view as soon as one read or one snapshot came through', async () => {
    const byList = new World();
    byList.lists([A], 10);
    await byList.catalog.refresh();
    expect(byList.catalog.freshnessNow().source).toBe('stale');
    const silent = new World();
    silent.backend.onPing = () => Promise.reject(AWAY);
    silent.catalog.start();
    await silent.clock.advance(3_000);
    await silent.snapshot([A], 10);
    expect(silent.catalog.freshnessNow()).toMatchObject({ source: 'stale', reason: AWAY.message });
  });

  it('stops in the middle of everything', async () => {
    const world = await World.with([A]);
    world.backend.onPing = () => new Promise(() => undefined);
    world.backend.onList = () => new Promise(() => undefined);
    await world.clock.advance(30_500);
    const reached = world.catalog.reached(1_000, new AbortController().signal);
    const changed = world.catalog.changedAfter(1_000, undefined, new AbortController().signal);
    await world.catalog.stop();
    expect(await reached).toBe(false);
    await changed;
    expect(world.catalog.waiting).toBe(0);
  });

  it('says that an incarnation is another by taking its word for everything', async () => {
    const world = await World.with([instance('a', 5_000), instance('b', 5_001)]);
    await world.remove('b', 6_000, 'deregistered');
    world.news();
    await world.snapshot([{ ...instance('a', 5_000), version: '3' }, instance('b', 4)], 7, 'second');
    expect(world.shown()).toEqual(['a', 'b']);
    expect(world.catalog.get(A)!.instance.version).toBe('3');
    // The same, but for its number, is no news.
    expect(world.news()).toEqual(['registered b']);
    await world.upsert(instance('a', 8, { port: 1 }));
    expect(world.catalog.get(A)!.instance.port).toBe(1);
    world.backend.onList = () => Promise.resolve(snapshot([], 9, 'third'));
    await world.catalog.refresh();
    expect(world.shown()).toBeUndefined();
  });
});
