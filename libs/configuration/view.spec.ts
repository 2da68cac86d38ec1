import { afterEach, expect, it } from '@jest/globals';
import {
  checkPrevious,
  LIMITS,
  silentLogger,
  watchByReading,
  type ConfigEntry,
  type ConfigKey,
  type ConfigStore,
} from '#core';
import { Configuration } from './configuration.js';
import { ConfigView } from './view.js';

const KEY: ConfigKey = 'document/production/api';

/** A store that can lose what it has, and counts how often it is asked for a version. */
class LossyStore implements ConfigStore {
  readonly newest = new Map<ConfigKey, ConfigEntry>();
  readonly versions = new Map<number, ConfigEntry>();
  reads = 0;

  async heads() {
    return new Map([...this.newest].map(([key, { version }]) => [key, version]));
  }

  async get(key: ConfigKey, version?: number) {
    this.reads++;
    return version === undefined ? this.newest.get(key) : this.versions.get(version);
  }

  async append(key: ConfigKey, entry: ConfigEntry) {
    checkPrevious(key, this.newest.get(key)?.version ?? 0, entry);
    this.newest.set(key, entry);
    this.versions.set(entry.version, entry);
  }

  watch(signal: AbortSignal) {
    return watchByReading(() => this.heads(), signal);
  }
}

const views: ConfigView[] = [];
afterEach(() => Promise.all(views.splice(0).map((view) => view.stop())));

/** A replica that has seen what there is. */
async function replica(store: ConfigStore): Promise<Configuration> {
  const view = new ConfigView(store, silentLogger);
  views.push(view);
  view.start();
  while (view.freshness().source !== 'live') await new Promise((resolve) => setTimeout(resolve, 10));
  return new Configuration(store, view);
}

const write = { precondition: { kind: 'none' }, actor: 'test', signal: new AbortController().signal } as const;
const document = { serviceName: 'api', environment: 'production' };

function changed(view: ConfigView): Promise<ConfigEntry> {
  return new Promise((resolve) => view.subscribe((_key, entry) => resolve(entry)));
}

it('counts on above what it has seen when everything is lost', async () => {
  const store = new LossyStore();
  const configuration = await replica(store);
  for (let n = 1; n <= 5; n++) await configuration.putDocument(document, { n }, write);
  const told = changed(configuration.view);
  store.newest.clear();
  expect(await told).toMatchObject({ version: 6, previous: 0, actor: 'configuration' });
  expect(configuration.get(KEY)).toBeUndefined();
  // One that has seen nothing of it.
  const { entry, created } = await (await replica(store)).putDocument(document, { n: 7 }, write);
  expect([entry.version, created]).toEqual([7, true]);
}, 30_000);

it('brings what an older state has above what it has seen', async () => {
  const store = new LossyStore();
  const configuration = await replica(store);
  await configuration.putDocument(document, { n: 1 }, write);
  const old = store.newest.get(KEY)!;
  for (let n = 2; n <= 4; n++) await configuration.putDocument(document, { n }, write);
  const told = changed(configuration.view);
  store.newest.set(KEY, old);
  expect(await told).toMatchObject({ version: 5, previous: 1, config: { n: 1 } });
}, 30_000);

it('asks for a version once, however many want it, and not for one again that was lost', async () => {
  const store = new LossyStore();
  const configuration = await replica(store);
  for (let n = 1; n <= 3; n++) await configuration.putDocument(document, { n }, write);
  const before = store.reads;
  const next = () => configuration.successor(KEY, 1, write.signal);
  const found = await Promise.all(Array.from({ length: 100 }, next));
  expect(new Set(found.map((entry) => entry?.config?.n))).toEqual(new Set([2]));
  expect((await next())?.config).toEqual({ n: 2 });
  expect(store.reads - before).toBe(1);
  const told = changed(configuration.view);
  store.newest.clear();
  store.versions.clear();
  await told;
  expect(await next()).toBeUndefined();
}, 30_000);

it('does not search for what can no longer be kept', async () => {
  const store = new LossyStore();
  const configuration = await replica(store);
  for (let n = 1; n <= LIMITS.configVersions + 5; n++) await configuration.putDocument(document, { n }, write);
  store.versions.delete(2);
  const before = store.reads;
  expect(await configuration.successor(KEY, 1, write.signal)).toBeUndefined();
  expect(store.reads - before).toBe(2);
}, 30_000);
