import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { register } from '../../support/instances.js';
import { temporaryFolder } from '../../support/process.js';
import { Proxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import { preload } from './preload.js';
import { readAll } from './reader.js';
import { RunningServer } from './running-server.js';
import type { Subject } from './subject.js';

const CYCLES = 100;
/** Until then what is kept for good has been made. */
const SETTLED = 20;
const INSTANCES = 50;
/** Of 80 outages. The history of changes, which is bounded, may grow by a part of it. */
const MOST_BYTES = 3_000_000;
const SOON_MS = 60_000;

/** A server sees a hundred outages, every tenth with its registry killed, and is no larger for it. */
export async function survivesMany(subject: Subject): Promise<void> {
  const way = await Proxy.to(subject.port);
  const server = new RunningServer({
    ...(await subject.environment(way.port, `faults-${randomUUID().slice(0, 8)}`)),
    ...{ HEALTH_CHECK_ENABLED: 'false', DATA_DIR: await temporaryFolder(), ...preload('collect.mjs') },
  });
  try {
    await server.start();
    await server.live(SOON_MS);
    for (let i = 0; i < INSTANCES; i++) await register(server.http, { id: `i-${i}`, ttl: 3_600 });
    const is = (source: string) => until(async () => (await readAll(server.http)).source === source, SOON_MS);
    let settled = 0;
    for (let cycle = 1; cycle <= CYCLES; cycle++) {
      const kill = cycle % 10 === 0;
      await (kill ? subject.kill() : way.cut());
      await is('stale');
      await (kill ? subject.restart() : way.mend());
      await is('live');
      expect((await readAll(server.http)).shown.size).toBe(INSTANCES);
      if (cycle === SETTLED) settled = await heapOf(server);
    }
    const grown = (await heapOf(server)) - settled;
    console.log(`${CYCLES - SETTLED} outages: ${(grown / 1_000).toFixed(0)} kB more on the heap`);
    expect(grown).toBeLessThan(MOST_BYTES);
    await server.endsWell();
  } finally {
    await server.kill();
    await way.close();
  }
}

/** What is left after everything that can go has gone. */
async function heapOf(server: RunningServer): Promise<number> {
  const sizes: number[] = [];
  while (sizes.length < 5) {
    server.process.signal('SIGUSR2');
    await sleep(200);
    const { text } = await server.http.get('/metrics');
    sizes.push(Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)![1]));
  }
  return Math.min(...sizes);
}
