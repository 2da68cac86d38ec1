import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, end, startProgram, startServer, type Server } from './processes.js';
import { seed } from './seed.js';
import type { Heard, Order, Spread } from './watcher-program.js';

// Many watchers of one service who hear of a change now and then; a few who hear of many.

const MANY = 10_000;
const CHANGES = 30;
const FEW = 100;
const RATE = 1_000;
const RATE_MS = 10_000;
const INSTANCES = 100;
/** What was left behind may be collected meanwhile. */
const REST_MS = 2_000;
/** No sign of life is among what is counted. */
const ENVIRONMENT = { STREAM_HEARTBEAT: '1h' };

export interface WatchersResult {
  readonly many: {
    readonly watchers: number;
    readonly changes: number;
    /** From the acknowledgement of a change to the last watcher. */
    readonly late: Spread;
    /** Resident, on top of what the server takes without them. */
    readonly bytesPerWatcher: number;
  };
  readonly few: {
    readonly watchers: number;
    /** Changes a second: asked for, and acknowledged. */
    readonly rate: number;
    readonly acknowledged: number;
    /** Of the events there could have been: the others were overtaken by the next of the same instance. */
    readonly told: number;
    /** From the sending of a change to a watcher. */
    readonly late: Spread;
    /** Share of one core. */
    readonly busy: number;
  };
}

export async function measureWatchers(): Promise<WatchersResult> {
  return { many: await withWatchers(MANY, 1, many), few: await withWatchers(FEW, INSTANCES, few) };
}

type Told = (order: Order) => Promise<Heard>;

async function withWatchers<T>(
  count: number,
  instances: number,
  measure: (server: Server, tell: Told, before: number) => Promise<T>,
): Promise<T> {
  const server = await startServer({ environment: ENVIRONMENT });
  const watchers = startProgram(join(import.meta.dirname, 'watcher-program.js'), { core: 'load' });
  await seed(server.url, { instances, services: 1 });
  await sleep(REST_MS);
  const before = (await server.cost()).rssBytes;
  await ask(watchers, { open: count, url: server.url } satisfies Order);
  const result = await measure(server, (order) => ask<Heard>(watchers, order), before);
  await Promise.all([server.stop(), end(watchers)]);
  return result;
}

async function many(server: Server, tell: Told, before: number): Promise<WatchersResult['many']> {
  const { late } = await tell({ changes: CHANGES });
  await sleep(REST_MS);
  const { rssBytes } = await server.cost();
  return { watchers: MANY, changes: CHANGES, late, bytesPerWatcher: (rssBytes - before) / MANY };
}

async function few(server: Server, tell: Told): Promise<WatchersResult['few']> {
  const [before, begun] = [await server.cost(), performance.now()];
  const { events, late, acknowledged } = await tell({ rate: RATE, instances: INSTANCES, ms: RATE_MS });
  const [after, ended] = [await server.cost(), performance.now()];
  const { requests, seconds } = acknowledged!;
  return {
    watchers: FEW,
    rate: RATE,
    acknowledged: requests / seconds,
    told: events / (requests * FEW),
    late,
    busy: (after.cpuSeconds - before.cpuSeconds) / ((ended - begun) / 1_000),
  };
}
