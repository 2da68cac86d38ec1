import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keyOf, silentLogger, type ConfigEntry, type JsonObject } from '#core';
import { registration } from '#core/testing';
import { MemoryBackend } from './backend.js';
import type { Store, StoredInstance, StoredState } from './store.js';

const actor = 'test';
const KEY = keyOf(registration());

/** A disk in memory that refuses, or hangs, on command. */
class FakeStore<T> implements Store<T> {
  readonly kept = new Map<string, T>();
  writes = 0;
  failing = false;
  closed = false;
  release: () => void = () => undefined;
  private hanging: Promise<void> | undefined;
  private lastVersion = 0;

  async open(): Promise<StoredState<T>> {
    return { incarnation: 'fake', lastVersion: this.lastVersion, values: this.kept };
  }

  async write(changes: ReadonlyMap<string, T | undefined>, lastVersion: number): Promise<void> {
    if (this.closed) throw new Error('written after it was closed');
    this.writes++;
    await this.hanging;
    if (this.failing) throw new Error('no space left on device');
    for (const [key, instance] of changes) {
      if (instance) this.kept.set(key, instance);
      else this.kept.delete(key);
    }
    this.lastVersion = lastVersion;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  hang(): void {
    this.hanging = new Promise((resolve) => (this.release = resolve));
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('memory on a disk with trouble', () => {
  let store: FakeStore<StoredInstance>;
  let documents: FakeStore<ConfigEntry>;
  let backend: MemoryBackend;

  beforeEach(async () => {
    store = new FakeStore();
    documents = new FakeStore();
    backend = new MemoryBackend(
      { logger: silentLogger, now: Date.now, graceMs: 0 },
      { instances: store, configuration: documents },
    );
    await backend.start();
  });

  afterEach(async () => {
    store.release();
    documents.release();
    await backend.stop();
  });

  it('acknowledges nothing before it is on disk', async () => {
    store.hang();
    let acknowledged = false;
    const registered = backend.registrar.register(registration(), { actor }).then(() => (acknowledged = true));
    await until(() => store.writes === 1);
    expect(acknowledged).toBe(false);
    store.release();
    await registered;
    expect(store.kept.size).toBe(1);
  });

  it('shows no version of a document before it is on disk, and gives its number out again if it never was', async () => {
    const { configStore } = backend;
    const version = (config: JsonObject): ConfigEntry => ({
      ...{ version: 1, previous: 0, config, actor, createdAt: 1, updatedAt: 1 },
    });
    documents.failing = true;
    documents.hang();
    const first = configStore.append('document/production/api', version({ first: true }));
    await until(() => documents.writes === 1);
    const shown = async (number?: number) => (await configStore.get('document/production/api', number))?.config;
    expect([await shown(), await shown(1), (await configStore.heads()).size]).toEqual([undefined, undefined, 0]);
    documents.release();
    await expect(first).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect([await shown(), await shown(1)]).toEqual([undefined, undefined]);
    documents.failing = false;
    await configStore.append('document/production/api', version({ second: true }));
    expect(await shown()).toEqual({ second: true });
    expect([...documents.kept.values()].map(({ config }) => config)).toEqual([{ second: true }]);
  });

  it('says that the outcome is unknown, and writes it once the disk works again', async () => {
    store.failing = true;
    await expect(backend.registrar.register(registration(), { actor })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    expect(store.kept.size).toBe(0);
    expect(backend.trouble()).toContain('data directory');
    store.failing = false;
    await until(() => store.kept.size === 1);
    await until(() => backend.trouble() === undefined);
  });

  it('acknowledges what waits for the next attempt, and attempts once in a while only', async () => {
    store.failing = true;
    await expect(backend.registrar.register(registration(), { actor })).rejects.toThrow();
    store.failing = false;
    await backend.registrar.register(registration({ serviceId: 'later' }), { actor });
    expect([...store.kept.keys()].sort()).toEqual(['api/api-1', 'api/later']);
    expect(store.writes).toBe(2);
  });

  it('writes the newest state of what had failed, a removal too', async () => {
    await backend.registrar.register(registration(), { actor });
    await backend.registrar.register(registration({ serviceId: 'leaving' }), { actor });
    store.failing = true;
    const leaving = { ...KEY, serviceId: 'leaving' };
    await Promise.allSettled([
      backend.registrar.update(KEY, { kind: 'patch', tags: ['first'] }, { actor }),
      backend.registrar.deregister(leaving, { actor, cause: 'deregistered' }),
    ]);
    store.failing = false;
    await backend.registrar.update(KEY, { kind: 'patch', tags: ['second'] }, { actor });
    expect([...store.kept.values()].map(({ record }) => record.tags)).toEqual([['second']]);
  });

  describe('asked again after an unknown outcome', () => {
    const unknown = { code: 'OUTCOME_UNKNOWN' };

    beforeEach(async () => {
      await backend.registrar.register(registration(), { actor });
    });

    it.each([{ status: 'warning' as const }, { metadata: { a: '1' } }])(
      'acknowledges a heartbeat with %j once it is on disk, and not before',
      async (heartbeat) => {
        const renew = () => backend.registrar.renew(KEY, heartbeat, { actor });
        store.failing = true;
        await expect(renew()).rejects.toMatchObject(unknown);
        await expect(renew()).rejects.toMatchObject(unknown);
        store.failing = false;
        const { instance } = await renew();
        expect(store.kept.get('api/api-1')).toMatchObject({ version: instance!.version });
      },
    );

    it('waits for the write of a heartbeat that is under way', async () => {
      store.hang();
      const signal = AbortSignal.timeout(20);
      const heartbeat = { status: 'warning' } as const;
      await expect(backend.registrar.renew(KEY, heartbeat, { actor, signal })).rejects.toMatchObject(unknown);
      const again = backend.registrar.renew(KEY, heartbeat, { actor, signal: AbortSignal.timeout(20) });
      await expect(again).rejects.toMatchObject(unknown);
      store.release();
      await backend.registrar.renew(KEY, heartbeat, { actor });
      expect(store.kept.get('api/api-1')).toMatchObject({ record: { reported: 'warning' } });
    });

    it('says that an instance is not there once its removal is on disk, and not before', async () => {
      const leave = () => backend.registrar.deregister(KEY, { actor, cause: 'deregistered' });
      store.failing = true;
      await expect(leave()).rejects.toMatchObject(unknown);
      await expect(leave()).rejects.toMatchObject(unknown);
      store.failing = false;
      await expect(leave()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(store.kept.size).toBe(0);
      const { writes } = store;
      await expect(leave()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(store.writes).toBe(writes);
    });

    it('needs the disk for no heartbeat that says nothing new', async () => {
      store.failing = true;
      await backend.registrar.renew(KEY, { status: 'passing', loadPercentage: 0.5 }, { actor });
    });
  });

  it('gathers what comes while one write is under way into one more', async () => {
    store.hang();
    const first = backend.registrar.register(registration(), { actor });
    await until(() => store.writes === 1);
    const more = Array.from({ length: 100 }, (_, i) =>
      backend.registrar.register(registration({ serviceId: `more-${i}` }), { actor }),
    );
    store.release();
    await Promise.all([first, ...more]);
    expect(store.writes).toBe(2);
    expect(store.kept.size).toBe(101);
  });

  it('acknowledges what follows an acknowledgement at once', async () => {
    for (let i = 0; i < 50; i++) {
      await Promise.all([
        backend.registrar.register(registration({ serviceId: `a-${i}` }), { actor }),
        backend.registrar.register(registration({ serviceId: `b-${i}` }), { actor }),
      ]);
    }
  });

  it('writes what is under way before it stops, and refuses what comes later', async () => {
    const pending = backend.registrar.register(registration(), { actor });
    const stopped = backend.stop();
    await expect(backend.registrar.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await Promise.all([pending, stopped]);
    expect(store.kept.size).toBe(1);
  });

  it('tries once more when it stops, and stops without success too', async () => {
    store.failing = true;
    await expect(backend.registrar.register(registration(), { actor })).rejects.toThrow();
    const pending = backend.registrar.register(registration({ serviceId: 'pending' }), { actor });
    const stopped = backend.stop();
    await expect(pending).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await stopped;
    expect(store.writes).toBe(2);
  });

  it('lets a caller go that waits no longer, and writes all the same', async () => {
    store.hang();
    const signal = AbortSignal.timeout(20);
    await expect(backend.registrar.register(registration(), { actor, signal })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    await expect(backend.registrar.renew(KEY, {}, { actor, signal })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(backend.trouble()).toContain('data directory');
    store.release();
    await backend.stop();
    expect(backend.trouble()).toBeUndefined();
    expect(store.kept.size).toBe(1);
  });
});
