import { describe, expect, it } from '@jest/globals';
import {
  encodeEntry,
  LIMITS,
  type ConfigEntry,
  type ConfigHeads,
  type ConfigKey,
  type ConfigStore,
  type JsonObject,
  type RegistryBackend,
} from '../index.js';
import { Trial, type BackendContractOptions, type Outage } from './backend/trial.js';

const KEY: ConfigKey = 'document/production/api';
/** Increments of one counter, by all writers together. */
const INCREMENTS = 200;
const WRITERS_EACH = 2;
const PATIENCE_MS = 60_000;
/** An outage is told within a deadline, and perhaps a second one that it waits behind. */
const OUTAGE_MS = 20_000;

/** Each of them is to come back as it went. */
const HOSTILE = [
  '{}',
  '{"":{"":""},"a/b~c.d":[null,true,-0.5e-7,[[]],{}],"ünï\\ud83d\\ude00":"\\u0000\\ud800\\u2028\\"\\\\"}',
  '{"__proto__":{"polluted":true},"constructor":1,"toString":null}',
  '{"9":1,"1":2,"big":9007199254740991,"small":5e-324}',
].map((text) => JSON.parse(text) as JsonObject);

function entry(version: number, over: Partial<ConfigEntry> = {}): ConfigEntry {
  const times = { createdAt: 1_000, updatedAt: 1_000 + version };
  return { version, previous: version - 1, config: { n: version }, actor: 'contract', ...times, ...over };
}

function storeOf({ configStore }: RegistryBackend): ConfigStore {
  if (!configStore) throw new Error('keeps no configuration');
  return configStore;
}

async function appendAll(store: ConfigStore, from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version++) await store.append(KEY, entry(version));
}

/** Each of its calls once, with whatever rights it has. */
export async function useConfigStore(backend: RegistryBackend): Promise<void> {
  const store = storeOf(backend);
  const key = 'document/production/rights';
  await store.append(key, entry(1));
  await store.append(key, entry(LIMITS.configVersions + 1, { previous: 1 }));
  expect(await store.get(key)).toMatchObject({ previous: 1 });
  expect(await store.get(key, 1)).toBeUndefined();
  expect((await store.heads()).get(key)).toBe(LIMITS.configVersions + 1);
}

/** What every store of configuration must do, as its reader sees it; `options` are those of its backend. */
export function configStoreContract(options: BackendContractOptions & { readonly increments?: number }): void {
  describe(`configuration contract: ${options.name}`, () => {
    const trial = new Trial(options);
    const store = () => storeOf(trial.backend);

    it('is declared', () => {
      expect(trial.backend.capabilities.configuration).not.toBe('refused');
    });

    it('begins with nothing', async () => {
      expect(await store().heads()).toEqual(new Map());
      expect(await store().get(KEY)).toBeUndefined();
      expect(await store().get(KEY, 1)).toBeUndefined();
    });

    it('gives back what was stored, the newest and each by its number', async () => {
      const last = entry(3, { config: undefined, rolledBackTo: 1, createdAt: 5 });
      await appendAll(store(), 1, 2);
      await store().append(KEY, last);
      expect(encodeEntry((await store().get(KEY))!)).toBe(encodeEntry(last));
      expect(await store().get(KEY, 3)).toEqual(await store().get(KEY));
      expect(await store().get(KEY, 1)).toEqual(entry(1));
      expect(await store().get(KEY, 4)).toBeUndefined();
      expect(await store().heads()).toEqual(new Map([[KEY, 3]]));
    });

    it('gives back whatever JSON can say', async () => {
      for (const [i, config] of HOSTILE.entries()) await store().append(KEY, entry(i + 1, { config }));
      for (const [i, config] of HOSTILE.entries()) {
        expect(JSON.stringify((await store().get(KEY, i + 1))!.config)).toBe(JSON.stringify(config));
      }
    });

    it('takes the largest document that there may be', async () => {
      const config = {
        text: '\u0001'.repeat((LIMITS.configBytes - 11) / 6) + 'x'.repeat((LIMITS.configBytes - 11) % 6),
      };
      expect(JSON.stringify(config)).toHaveLength(LIMITS.configBytes);
      await store().append(KEY, entry(1, { config }));
      await store().append(KEY, entry(2, { config }));
      expect(await store().get(KEY, 1)).toEqual(entry(1, { config }));
    });

    it.each([0, 1, 3])('refuses what was made from version %d when the newest is 2', async (previous) => {
      await appendAll(store(), 1, 2);
      const late = entry(Math.max(3, previous + 1), { previous, config: { late: true } });
      await expect(store().append(KEY, late)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store().get(KEY)).toEqual(entry(2));
      expect(await store().heads()).toEqual(new Map([[KEY, 2]]));
    });

    it('refuses what was made from a version where there is none', async () => {
      await expect(store().append(KEY, entry(2))).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store().heads()).toEqual(new Map());
    });

    it('goes on above any number it is given, when what was there is lost', async () => {
      await store().append(KEY, entry(57, { previous: 0 }));
      await store().append(KEY, entry(58));
      expect(await store().get(KEY)).toEqual(entry(58));
      expect(await store().get(KEY, 57)).toEqual(entry(57, { previous: 0 }));
    });

    it('keeps keys apart', async () => {
      const keys = [
        KEY,
        'document/production/api2',
        'document/staging/api',
        'document/*/*',
        'schema/api',
        'document/production/a.b-c_d',
      ];
      for (const [i, key] of keys.entries()) await store().append(key, entry(1, { config: { i } }));
      for (const [i, key] of keys.entries()) expect((await store().get(key))?.config).toEqual({ i });
      expect(await store().heads()).toEqual(new Map(keys.map((key) => [key, 1])));
    });

    it(
      `keeps ${LIMITS.configVersions} versions`,
      async () => {
        const { configVersions } = LIMITS;
        await appendAll(store(), 1, configVersions + 2);
        expect(await store().get(KEY, 2)).toBeUndefined();
        expect(await store().get(KEY, 3)).toEqual(entry(3));
        expect(await store().get(KEY)).toEqual(entry(configVersions + 2));
        await expect(store().append(KEY, entry(2))).rejects.toMatchObject({ code: 'CONFLICT' });
      },
      PATIENCE_MS,
    );

    it('does nothing for who waits no more', async () => {
      const signal = AbortSignal.abort(new Error('gone'));
      await expect(store().append(KEY, entry(1), signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await store().heads()).toEqual(new Map());
    });

    it('loses no increment of many writers', async () => {
      const stores = [store(), ...(options.replicas ? [storeOf(await trial.another())] : [])];
      await increment(stores, options.increments ?? INCREMENTS);
      const total = options.increments ?? INCREMENTS;
      expect((await store().get(KEY))?.config).toEqual({ count: total });
      expect(await store().heads()).toEqual(new Map([[KEY, total]]));
    }, 600_000);

    it(
      'tells of what there is, and of every change, until it is stopped',
      async () => {
        await store().append('schema/before', entry(1));
        const watch = new HeadsWatch(store());
        await watch.until((heads) => heads.get('schema/before') === 1);
        await appendAll(store(), 1, 3);
        await watch.until((heads) => heads.get(KEY) === 3);
        await watch.stop();
        await watch.ended;
      },
      PATIENCE_MS,
    );

    it('answers nothing once its backend has stopped', async () => {
      await trial.backend.stop();
      await expect(store().heads()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(store().get(KEY)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(store().append(KEY, entry(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    if (options.replicas) replicaContract(trial);
    for (const how of options.outages ?? []) {
      if (how === 'cut' || how === 'frozen') outageContract(trial, how);
    }
  });
}

function replicaContract(trial: Trial): void {
  it(
    'shows one replica what another stores',
    async () => {
      const other = storeOf(await trial.another());
      const watch = new HeadsWatch(other);
      await watch.until(() => true);
      await appendAll(storeOf(trial.backend), 1, 2);
      await watch.until((heads) => heads.get(KEY) === 2);
      expect(await other.get(KEY)).toEqual(entry(2));
      await watch.stop();
    },
    PATIENCE_MS,
  );

  it(
    'lets one of those through who come at once',
    async () => {
      const stores = [storeOf(trial.backend), storeOf(await trial.another())];
      for (let version = 1; version <= 10; version++) {
        const writers = [...stores, ...stores];
        const results = await Promise.allSettled(
          writers.map((store, writer) => store.append(KEY, entry(version, { config: { writer } }))),
        );
        const refused = results.filter((result) => result.status === 'rejected');
        expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array(3).fill('CONFLICT'));
        const winner = results.findIndex(({ status }) => status === 'fulfilled');
        expect((await stores[0]!.get(KEY))?.config).toEqual({ writer: winner });
      }
    },
    PATIENCE_MS,
  );
}

function outageContract(trial: Trial, how: Outage): void {
  it(
    `says so in time when the registry is ${how}, and goes on afterwards`,
    async () => {
      const store = storeOf(trial.backend);
      await appendAll(store, 1, 1);
      const watch = new HeadsWatch(store);
      await watch.until((heads) => heads.get(KEY) === 1);
      await trial.fixture.outage!(trial.backend, how, async () => {
        const began = performance.now();
        const written = store.append(KEY, entry(2)).then(
          () => 'stored',
          (error: unknown) => (error as { code: string }).code,
        );
        await expect(store.heads()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        await expect(store.get(KEY)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN']).toContain(await written);
        await expect(watch.ended).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(performance.now() - began).toBeLessThan(OUTAGE_MS);
      });
      const version = await answered(() => store.get(KEY));
      expect([1, 2]).toContain(version?.version);
      await answered(() => store.append('schema/after', entry(1)));
    },
    3 * PATIENCE_MS,
  );
}

/** Compare-and-set loops of several writers on each store, until the counter has been raised so often in all. */
async function increment(stores: readonly ConfigStore[], total: number): Promise<void> {
  let left = total;
  const raise = async (store: ConfigStore): Promise<void> => {
    for (;;) {
      const current = await store.get(KEY);
      const { version: previous, config } = current ?? { version: 0, config: { count: 0 } };
      const next = { count: (config as { count: number }).count + 1 };
      try {
        await store.append(KEY, entry(previous + 1, { config: next }));
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== 'CONFLICT') throw error;
      }
    }
  };
  const work = async (store: ConfigStore): Promise<void> => {
    while (left-- > 0) await raise(store);
  };
  await Promise.all(stores.flatMap((store) => Array.from({ length: WRITERS_EACH }, () => work(store))));
}

/** Asks again while the way back is being found. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Reads a watch to its end. */
class HeadsWatch {
  readonly ended: Promise<void>;
  private readonly over: Promise<never>;
  private readonly stopping = new AbortController();
  private heads: ConfigHeads | undefined;
  private wake: () => void = () => undefined;

  constructor(store: ConfigStore) {
    this.ended = this.read(store);
    this.over = this.ended.then(() => Promise.reject(new Error('the watch has ended')));
    this.over.catch(() => undefined);
  }

  /** Resolves when the heads are so; rejects when the watch ends before. */
  async until(condition: (heads: ConfigHeads) => boolean): Promise<void> {
    while (!this.heads || !condition(this.heads)) {
      const told = new Promise<void>((resolve) => (this.wake = resolve));
      await Promise.race([told, this.over]);
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended.catch(() => undefined);
  }

  private async read(store: ConfigStore): Promise<void> {
    for await (const heads of store.watch(this.stopping.signal)) {
      this.heads = heads;
      this.wake();
    }
  }
}
