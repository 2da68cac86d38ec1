import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, end, metricsIn, startProgram, startServer } from './processes.js';
import { seed } from './seed.js';
import { quantile } from './statistics.js';

// Ten thousand real http checks of one server: whether each comes when it is due.

const CHECKS = 10_000;
const INTERVAL_MS = 10_000;
/** The first probes are spread over half of the interval, the next two come early: then each keeps its time. */
const SETTLING_MS = 30_000;
const LAG_METRICS = ['mean', 'p50', 'p99', 'max'] as const;

export interface ChecksResult {
  readonly checks: number;
  readonly intervalMs: number;
  readonly seconds: number;
  readonly probes: number;
  /** Checks that were asked for fewer times than there are intervals. */
  readonly missed: number;
  /** How late after its plan each probe came; milliseconds. */
  readonly late: { readonly p50: number; readonly p99: number; readonly max: number };
  /** By how much the mean interval of each check differs from what it is to be; milliseconds, without sign. */
  readonly drift: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of the event loop, as the server itself has measured it; milliseconds. */
  readonly lag: Readonly<Record<(typeof LAG_METRICS)[number], number>>;
  /** Share of one core. */
  readonly busy: number;
  readonly rssBytes: number;
}

interface Seen {
  readonly ports: readonly number[];
  /** Of each check, when it came; milliseconds. */
  readonly times: readonly (readonly number[])[];
}

export async function checkTenThousand(seconds: number): Promise<ChecksResult> {
  const targets = startProgram(join(import.meta.dirname, 'targets.js'), { core: 'load' });
  const server = await startServer({ environment: { PROBE_LOOPBACK: 'true' } });
  const { ports } = await ask<Seen>(targets, {});
  await seed(server.url, { instances: CHECKS, services: CHECKS / 10 }, 0, (n) => ({
    host: '127.0.0.1',
    port: ports[n % ports.length],
    health_check: { http_path: `/${n}`, interval: INTERVAL_MS / 1_000, timeout: '5s' },
  }));
  await sleep(SETTLING_MS);
  const [before, begun] = [await server.cost(), performance.now()];
  const already = (await ask<Seen>(targets, {})).times.map(({ length }) => length);
  await sleep(seconds * 1_000);
  const { times } = await ask<Seen>(targets, {});
  // First: whoever looks at the lag has it begin anew.
  const metric = metricsIn(await (await fetch(`${server.url}/metrics`)).text());
  const [after, ended] = [await server.cost(), performance.now()];
  await Promise.all([server.stop(), end(targets)]);

  const settled = times.map((each, i) => each.slice(already[i] ?? 0));
  const due = Math.floor((seconds * 1_000) / INTERVAL_MS);
  return {
    checks: times.length,
    intervalMs: INTERVAL_MS,
    seconds,
    probes: settled.reduce((sum, { length }) => sum + length, 0),
    missed: settled.filter(({ length }) => length < due).length,
    late: summary(settled.flatMap(lateness)),
    drift: summary(settled.filter(({ length }) => length > 1).map(driftOf)),
    lag: lagOf(metric),
    busy: (after.cpuSeconds - before.cpuSeconds) / ((ended - begun) / 1_000),
    rssBytes: after.rssBytes,
  };
}

/** Nothing comes before its time: the plan is a grid of intervals through whichever probe was the earliest on it. */
function lateness(times: readonly number[]): number[] {
  const offsets = times.map((at, i) => at - i * INTERVAL_MS);
  const plan = Math.min(...offsets);
  return offsets.map((offset) => offset - plan);
}

function driftOf(times: readonly number[]): number {
  return Math.abs((times.at(-1)! - times[0]!) / (times.length - 1) - INTERVAL_MS);
}

function summary(values: readonly number[]) {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

function lagOf(metric: (name: string) => number): ChecksResult['lag'] {
  const ms = (name: string) => 1_000 * metric(`nodejs_eventloop_lag_${name}_seconds`);
  return Object.fromEntries(LAG_METRICS.map((name) => [name, ms(name)])) as ChecksResult['lag'];
}
