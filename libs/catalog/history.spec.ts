import { describe, expect, it } from '@jest/globals';
import { keyOf } from '#core';
import { instance, World } from './testing/world.js';

const METADATA = { text: 'x'.repeat(500) };

/** Changes that came after a revision, as `kind id`; undefined when that is not known. */
function after(world: World, revision: number): string[] | undefined {
  return world.catalog.changesAfter(revision)?.map((change) => `${change.kind} ${change.instance.serviceId}`);
}

describe('changes that are remembered', () => {
  it('are those after a revision, each at one of its own, with what was before', async () => {
    const world = await World.with([instance('a', 1)]);
    const { catalog } = world;
    const begun = catalog.revision;
    catalog.apply({ kind: 'upsert', instance: instance('b', 11) });
    catalog.apply({ kind: 'upsert', instance: instance('b', 12, { tags: ['x'] }) });
    catalog.apply({ kind: 'remove', key: keyOf(instance('a', 1)), version: '13', cause: 'deregistered' });
    expect(after(world, begun)).toEqual(['upsert b', 'upsert b', 'remove a']);
    expect(after(world, begun + 2)).toEqual(['remove a']);
    expect(after(world, catalog.revision)).toEqual([]);
    const [first, second, third] = catalog.changesAfter(begun)!;
    expect([first, second, third].map((change) => change!.revision - begun)).toEqual([1, 2, 3]);
    expect(first).toMatchObject({ before: undefined });
    expect(second).toMatchObject({ before: { version: '11', tags: [] } });
  });

  it('have revisions of their own also when many are lost at once, and when they are held', async () => {
    const many = ['a', 'b', 'c', 'd'].map((id) => instance(id, 1));
    const lost = await World.with(many, { massLoss: { min: 5, share: 0.5, holdMs: 60_000 } });
    await lost.snapshot([], 20);
    const removals = lost.catalog.changesAfter(4)!;
    expect(removals.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => 'remove'));
    const held = await World.with(many, { massLoss: { min: 3, share: 0.5, holdMs: 60_000 } });
    await held.snapshot([], 20);
    const holds = held.catalog.changesAfter(4)!;
    for (const change of holds) expect(change).toMatchObject({ kind: 'upsert', held: true, before: { version: '1' } });
    for (const changes of [removals, holds]) expect(new Set(changes.map(({ revision }) => revision)).size).toBe(4);
  });

  it('are of so many bytes: what is asked for beyond is not known', async () => {
    const world = await World.with([], { historyBytes: 5_000 });
    const { catalog } = world;
    for (let version = 11; version < 111; version++)
      catalog.apply({ kind: 'upsert', instance: instance('a', version, { metadata: METADATA }) });
    const since = catalog.rememberedSince;
    expect(catalog.revision - since).toBe(4);
    expect(after(world, since)).toHaveLength(4);
    expect(after(world, since - 1)).toBeUndefined();
  });
});
