import { startBare, startServer, type Subject } from './processes.js';
import { spread, type Spread } from './statistics.js';

// How long it takes until requests are answered, in turn with bare Fastify.

export interface StartTimeResult {
  readonly runs: number;
  /** Milliseconds. */
  readonly server: Spread;
  readonly bare: Spread;
}

const BARE_ANSWER = { method: 'GET', route: '/health/ready', status: 200, headers: {}, body: '{}' } as const;

export async function measureStartTime(runs: number): Promise<StartTimeResult> {
  const server: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < runs; run++) {
    server.push(await untilReady(startServer));
    bare.push(await untilReady(() => startBare(BARE_ANSWER)));
  }
  return { runs, server: spread(server), bare: spread(bare) };
}

/** Milliseconds until the first answer. */
async function untilReady(start: () => Promise<Subject>): Promise<number> {
  const begun = performance.now();
  const subject = await start();
  const response = await fetch(`${subject.url}/health/ready`);
  await response.text();
  const ms = performance.now() - begun;
  await subject.stop();
  return ms;
}
