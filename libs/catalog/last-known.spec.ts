import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#core';
import { FULL } from '#core/testing';
import { LastKnownFile } from './index.js';
import { AWAY, instance, World } from './testing/world.js';

const A = instance('a', 1, { ...FULL, serviceName: 'api', serviceId: 'a' });
const B = instance('b', 2);

describe('what was last known of a registry', () => {
  let folder: string;
  let path: string;
  let complaints: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-discovery-'));
    path = join(folder, 'last-known-good.ndjson');
    complaints = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  function lastKnown(registry = 'this'): LastKnownFile {
    const warn = (_fields: object, message: string) => complaints.push(message);
    return new LastKnownFile(folder, registry, { ...silentLogger, warn });
  }

  async function kept(): Promise<World> {
    const world = await World.with([A, B], { lastKnown: lastKnown() });
    world.lists([A, B], 10);
    await world.catalog.stop();
    return world;
  }

  async function began(registry?: string): Promise<World> {
    const world = new World({ lastKnown: lastKnown(registry) });
    await world.away();
    world.catalog.start();
    world.backend.tell({ kind: 'stale', error: AWAY });
    return world;
  }

  async function remembered(world: World): Promise<void> {
    const read = new Promise<void>((resolve) => world.catalog.subscribe(() => resolve()));
    await read;
  }

  it('is served while the registry is away, says how old it is, and becomes live by itself', async () => {
    const before = await kept();
    await utimes(path, before.clock.now() / 1_000 - 60, before.clock.now() / 1_000 - 60);
    const world = await began();
    await remembered(world);
    await world.clock.advance(1_000);
    expect(world.shown()).toEqual(['a', 'b']);
    const entry = before.catalog.get(A)!.instance;
    expect(world.catalog.get(A)!.instance).toEqual({ ...entry, vitals: entry.vitals });
    expect(world.catalog.freshnessNow()).toEqual({ source: 'snapshot', ageMs: 61_000, reason: AWAY.message });
    expect(world.news()).toEqual([]);

    world.lists([A, instance('c', 11)], 11);
    await world.clock.advance(3_000);
    await world.snapshot([A, instance('c', 11)], 11);
    expect(world.catalog.freshnessNow()).toEqual({ source: 'live', ageMs: 0 });
    expect(world.shown()).toEqual(['a', 'c']);
    expect(world.news()).toEqual(['registered c', 'unknown b']);
    await world.catalog.stop();
  });

  it('is not looked at when the registry answers', async () => {
    await kept();
    const world = await World.with([B], { lastKnown: lastKnown() });
    expect(world.shown()).toEqual(['b']);
    expect(world.news()).toEqual([]);
    await world.catalog.stop();
  });

  it('is not overwritten by what is known while the registry is away', async () => {
    await kept();
    const text = await readFile(path, 'utf8');
    const world = await began();
    await remembered(world);
    await world.clock.advance(60_000);
    await world.catalog.stop();
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('is confirmed as long as nothing changes', async () => {
    const world = await kept();
    const { mtimeMs } = await stat(path);
    expect(mtimeMs).toBeCloseTo(Date.now(), -5);
    await lastKnown().confirm(world.clock.now());
    expect((await stat(path)).mtimeMs).toBe(world.clock.now());
  });

  it('is not given out as what is known of another registry', async () => {
    await kept();
    expect(await lastKnown('another').load()).toBeUndefined();
    expect(complaints).toEqual(['what was last known of the registry cannot be used']);
  });

  it.each<[string, () => Promise<void>]>([
    ['cut short', async () => writeFile(path, (await readFile(path, 'utf8')).replace(/\{"count".*\n/, ''))],
    ['with a line too many', () => appendFile(path, '{}\n')],
    ['of another format', async () => writeFile(path, (await readFile(path, 'utf8')).replace('"v":1', '"v":2'))],
    ['empty', () => writeFile(path, '')],
    ['garbage', () => writeFile(path, 'no\nJSON\n')],
  ])('that is %s is left alone, with a word in the log', async (_, spoil) => {
    await kept();
    await spoil();
    expect(await lastKnown().load()).toBeUndefined();
    expect(complaints).toEqual(['what was last known of the registry cannot be used']);
  });

  it('is nothing before the first time, without a word', async () => {
    expect(await lastKnown().load()).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  it('is no reason to fail when it cannot be kept', async () => {
    await writeFile(path.replace('/last', '/file'), '');
    const nowhere = new LastKnownFile(join(folder, 'file-known-good.ndjson'), 'this', {
      ...silentLogger,
      warn: (_fields, message) => complaints.push(message),
    });
    expect(await nowhere.save([A])).toBe(false);
    expect(complaints).toEqual(['what is known of the registry could not be kept']);
  });
});
