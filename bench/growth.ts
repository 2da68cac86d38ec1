import { join } from 'node:path';
import type { LoadResult } from './load.js';
import type { LoadOrder } from './load-program.js';
import { ask, end, startProgram, startServer } from './processes.js';
import { GROWING } from './scenarios.js';
import { seed } from './seed.js';
import { logLogSlope } from './statistics.js';

// How the cost of a request grows with what is registered: the slope in log-log is the exponent.

export interface GrowthResult {
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly scenario: string;
  readonly title: string;
  readonly expected: string;
  readonly points: readonly { readonly instances: number; readonly cpuMicros: number }[];
  readonly slope: number;
}

const SIZES = [100, 300, 1_000, 3_000, 10_000, 30_000];
const SERVICES = 3_000;
const WARM_UP_MS = 3_000;
const SETTLING_MS = 300;

export async function measureGrowth(seconds: number): Promise<GrowthResult> {
  const server = await startServer();
  const generator = startProgram(join(import.meta.dirname, 'load-program.js'), { core: 'load' });
  const points = new Map(GROWING.map(({ name }) => [name, [] as { instances: number; cpuMicros: number }[]]));
  let from = 0;
  const run = async (scenario: string, ms: number) => {
    const order: LoadOrder = { scenario, url: server.url, connections: 4, ms, from };
    const before = await server.cost();
    const { next, requests } = await ask<LoadResult>(generator, order);
    from = next;
    return ((await server.cost()).cpuSeconds - before.cpuSeconds) * (1e6 / requests);
  };
  let filled = SIZES[0]!;
  await seed(server.url, { instances: filled, services: SERVICES });
  // For the compiler, or the small sizes would seem dear.
  for (const { name } of GROWING) await run(name, WARM_UP_MS);
  for (const instances of SIZES) {
    await seed(server.url, { instances, services: SERVICES }, filled);
    filled = instances;
    for (const { name } of GROWING) {
      await run(name, SETTLING_MS);
      points.get(name)!.push({ instances, cpuMicros: await run(name, seconds * 1_000) });
    }
  }
  await Promise.all([server.stop(), end(generator)]);
  return { curves: GROWING.map((each) => curve(each, points.get(each.name)!)) };
}

function curve({ name, title, expected }: (typeof GROWING)[number], points: Curve['points']): Curve {
  const slope = logLogSlope(points.map(({ instances, cpuMicros }) => ({ x: instances, y: cpuMicros })));
  return { scenario: name, title, expected, points, slope };
}
