import { describe, expect, it } from '@jest/globals';
import { keyOf, type RemovalCause } from '#core';
import { MassLossDetector } from './mass-loss.js';
import { AWAY, instance, World } from './testing/world.js';

const HOLD_MS = 60_000;
const RULES = { min: 3, share: 0.5, holdMs: HOLD_MS };

/** Ids i1… of so many instances. */
function ids(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `i${i + 1}`);
}

function of(count: number, rules = RULES): Promise<World> {
  return World.with(
    ids(count).map((id, i) => instance(id, i + 1)),
    { massLoss: rules },
  );
}

async function lose(
  world: World,
  lost: readonly string[],
  cause: RemovalCause = 'expired',
  version = 50,
): Promise<void> {
  for (const id of lost) await world.remove(id, version, cause);
}

describe('a mass loss', () => {
  it.each([
    { total: 2, lost: 2, because: 'fewer than the minimum', held: false },
    { total: 6, lost: 3, because: 'exactly the share', held: false },
    { total: 5, lost: 3, because: 'more than the share', held: true },
    { total: 3, lost: 3, because: 'all of them', held: true },
  ])('$lost of $total: $because', async ({ total, lost, held }) => {
    const world = await of(total);
    await lose(world, ids(lost));
    const left = ids(total).slice(lost);
    expect(world.shown() ?? []).toEqual(held ? [...ids(lost).map((id) => `${id}*`), ...left] : left);
    expect(world.catalog.heldInstances).toBe(held ? lost : 0);
  });

  it('holds the first ones too, which had gone before it was one', async () => {
    const world = await of(5);
    await lose(world, ['i1', 'i2']);
    expect(world.shown()).toEqual(['i3', 'i4', 'i5']);
    await world.clock.advance(9_000);
    await lose(world, ['i3']);
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*', 'i4', 'i5']);
    expect(world.news()).toEqual(['expired i1', 'expired i2', 'held i1', 'held i2', 'held i3']);
  });

  it.each([
    { apartMs: 10_000, held: true },
    { apartMs: 10_001, held: false },
  ])('is one within 10 s: $apartMs ms apart', async ({ apartMs, held }) => {
    const world = await of(3);
    await lose(world, ['i1', 'i2']);
    await world.clock.advance(apartMs);
    await lose(world, ['i3']);
    expect(world.catalog.heldInstances).toBe(held ? 3 : 0);
  });

  it('goes on while some are held, however slowly', async () => {
    const world = await of(6);
    await lose(world, ['i1', 'i2', 'i3', 'i4']);
    await world.clock.advance(30_000);
    await lose(world, ['i5']);
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*', 'i4*', 'i5*', 'i6']);
  });

  it('is judged for each service by itself', async () => {
    const world = await World.with(
      ids(3).map((id, i) => instance(id, i + 1, { serviceName: `service-${i}` })),
      { massLoss: RULES },
    );
    await world.snapshot([], 20);
    expect(world.catalog.serviceNames()).toEqual([]);
  });

  it('is found in a snapshot, but not where others have come instead', async () => {
    const lost = await of(4);
    await lost.snapshot([instance('i4', 4)], 20);
    expect(lost.shown()).toEqual(['i1*', 'i2*', 'i3*', 'i4']);
    const replaced = await of(4);
    await replaced.snapshot(
      ['n1', 'n2', 'n3', 'n4'].map((id, i) => instance(id, 11 + i)),
      20,
    );
    expect(replaced.shown()).toEqual(['n1', 'n2', 'n3', 'n4']);
  });

  it('is none when somebody asked for it', async () => {
    const world = await of(4);
    await lose(world, ['i1', 'i2'], 'deregistered');
    await lose(world, ['i3', 'i4'], 'evicted');
    expect(world.shown()).toBeUndefined();
  });

  it('does not hold those that were deregistered after all', async () => {
    const world = await of(4);
    await lose(world, ['i1'], 'unknown', 50);
    await world.remove('i1', 20, 'deregistered');
    await lose(world, ['i2', 'i3', 'i4']);
    expect(world.shown()).toEqual(['i2*', 'i3*', 'i4*']);
    await world.remove('i2', 21, 'deregistered');
    expect(world.shown()).toEqual(['i3*', 'i4*']);
    expect(world.catalog.heldInstances).toBe(2);
  });

  it('does not count those that have come back', async () => {
    const world = await of(4);
    await lose(world, ['i1']);
    await world.upsert(instance('i1', 51));
    await lose(world, ['i2', 'i3']);
    expect(world.shown()).toEqual(['i1', 'i4']);
  });

  it('is told in time when very many go, one by one or at once', () => {
    const detector = new MassLossDetector({ ...RULES, share: 0.99 });
    const left = { present: 1_000_000, held: 0 };
    const losses = Array.from({ length: 200_000 }, (_, at) => ({
      instance: instance(`i${at}`, 1),
      cause: 'expired' as const,
      at: at / 100,
    }));
    const begun = performance.now();
    for (const loss of losses.slice(0, 40_000)) detector.judge('one by one', [loss], left);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(detector.judge('at once', losses, left)).toEqual([]);
  });

  it('is off without a time to hold', async () => {
    const world = await of(3, { ...RULES, holdMs: 0 });
    await lose(world, ids(3));
    expect(world.shown()).toBeUndefined();
  });
});

describe('an instance that is held', () => {
  async function held(): Promise<World> {
    const world = await of(3);
    await lose(world, ids(3));
    world.news();
    return world;
  }

  it('is itself again when it registers, and not by what is older than its loss', async () => {
    const world = await held();
    await world.upsert(instance('i1', 49));
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*']);
    await world.upsert(instance('i1', 51));
    expect(world.shown()).toEqual(['i1', 'i2*', 'i3*']);
    expect(world.news()).toEqual(['registered i1']);
  });

  it('stays held when it came back unseen and went again', async () => {
    const world = await held();
    await world.remove('i1', 70, 'expired');
    world.catalog.apply({ kind: 'upsert', instance: instance('i1', 60) });
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*']);
  });

  it('was never lost when the registry lists it again as it was', async () => {
    const world = await held();
    await world.snapshot(
      ids(3).map((id, i) => instance(id, i + 1)),
      60,
    );
    expect(world.shown()).toEqual(ids(3));
    expect(world.news()).toEqual(['released i1', 'released i2', 'released i3']);
  });

  it('stays through a snapshot that lacks it, and through another incarnation', async () => {
    const world = await held();
    await world.snapshot([], 60);
    await world.snapshot([], 3, 'second');
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*']);
    await world.upsert(instance('i2', 4));
    expect(world.shown()).toEqual(['i1*', 'i2', 'i3*']);
  });

  it('goes when its time is over, not while the registry is away', async () => {
    const world = await held();
    await world.clock.advance(HOLD_MS - 1_000);
    expect(world.catalog.heldInstances).toBe(3);
    await world.away();
    await world.clock.advance(10 * HOLD_MS);
    expect(world.catalog.heldInstances).toBe(3);
    world.lists([], 60);
    await world.clock.advance(3_000);
    await world.snapshot([], 60);
    await world.clock.advance(1_000);
    expect(world.shown()).toBeUndefined();
    expect(world.news()).toEqual(['released i1', 'released i2', 'released i3']);
    expect(world.catalog.heldInstances).toBe(0);
  });

  it('is let go at somebody’s word', async () => {
    const world = await held();
    expect(world.catalog.release(keyOf(instance('i1', 0)), 'deregistered', 'somebody')).toBe(true);
    expect(world.catalog.release(keyOf(instance('i1', 0)), 'deregistered', 'somebody')).toBe(false);
    expect(world.shown()).toEqual(['i2*', 'i3*']);
    expect(world.news()).toEqual(['deregistered i1']);
    await world.upsert(instance('i1', 50));
    expect(world.shown()).toEqual(['i2*', 'i3*']);
  });

  it('shows what our own probe finds', async () => {
    const world = await held();
    const { revision } = world.catalog;
    world.catalog.reassess(keyOf(instance('i1', 0)), 'critical', 'health-monitor');
    world.catalog.reassess(keyOf(instance('i1', 0)), 'critical', 'health-monitor');
    expect(world.catalog.get(instance('i1', 0))).toMatchObject({ instance: { probed: 'critical' }, hold: {} });
    expect(world.catalog.revision).toBe(revision + 1);
    expect(world.news()).toEqual(['status i1']);
  });

  it('is not kept by an outage that ends with its removal', async () => {
    const world = await held();
    world.backend.fail(AWAY);
    await world.clock.advance(200);
    await world.snapshot([instance('new', 80)], 90);
    expect(world.shown()).toEqual(['i1*', 'i2*', 'i3*', 'new']);
    await world.remove('i1', 91, 'deregistered');
    expect(world.shown()).toEqual(['i2*', 'i3*', 'new']);
  });
});
