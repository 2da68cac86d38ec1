import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConstantAnswer } from './bare.js';
import type { LoadResult } from './load.js';
import type { LoadOrder } from './load-program.js';
import { secondsWithoutCore } from './proc.js';
import {
  ask,
  end,
  startBare,
  startProgram,
  startRegistry,
  startServer,
  temporaryFolder,
  type RegistryServer,
  type Subject,
} from './processes.js';
import { registryOf } from './registries/index.js';
import type { Scenario } from './scenarios.js';
import { seed } from './seed.js';
import { median, spread, type Spread } from './statistics.js';

export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** Of one side in one round. */
export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the measured process, for each request. */
  readonly cpuMicros: number;
  /** Share of its core that the process had: far below 1, something else was the limit. */
  readonly busy: number;
  /** Share of the time in which it, or what puts it under load, was ready to run and had no core: a neighbour had it. */
  readonly waited?: number;
}

export interface Round {
  readonly server: Measured;
  /** What it is compared with. */
  readonly other: Measured;
}

export interface Comparison {
  readonly scenario: string;
  /** As fast as they answer. */
  readonly full: readonly Round[];
  /** At half of that. */
  readonly half: readonly Round[];
  readonly perSecond: Spread;
  /** Of what bare Fastify reaches in the same round. */
  readonly ratio: Spread;
  /** The same by CPU time for each request: it holds where the load generator or a neighbour was the limit. */
  readonly cpuRatio: Spread;
  readonly p99AtHalf: { readonly server: Spread; readonly bare: Spread };
  /** What the system knows of it, of the server's rounds at half load. */
  readonly waitedAtHalf?: number;
}

const CONNECTIONS = 32;
const HALF_ROUNDS = 5;
/** Until the compiler has seen enough: it shares the core with what it compiles. */
export const WARM_UP_MS = 4_000;
/** What the connection and the clock add by themselves. */
const NOT_COPIED = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

/** Measures the server and a bare route in turn. */
export async function compare(scenario: Scenario, { rounds, seconds }: RoundOptions): Promise<Comparison> {
  const generator = startProgram(join(import.meta.dirname, 'load-program.js'), { core: 'load' });
  const registry = scenario.registry === undefined ? undefined : await startRegistry(scenario.registry);
  const server = new Side(await seededServer(scenario, registry), scenario, generator);
  const other = new Side(await startBare(await server.sample()), scenario, generator);
  const sides = { server, other };
  const ms = seconds * 1_000;
  for (const side of [server, other]) await side.run(WARM_UP_MS);
  const full = await inTurn(rounds, (side) => sides[side].run(ms));
  const halfOf = (side: keyof Round) => median(full.map((round) => round[side].perSecond)) / 2;
  const half = await inTurn(HALF_ROUNDS, (side) => sides[side].run(ms, halfOf(side)));
  const waited = half.flatMap((round) => round.server.waited ?? []);
  await Promise.all([server.subject.stop(), other.subject.stop(), end(generator)]);
  if (registry) await end(registry.child);
  return {
    scenario: scenario.name,
    full,
    half,
    perSecond: spread(full.map((round) => round.server.perSecond)),
    ...ratiosOf(full),
    p99AtHalf: {
      server: spread(half.map((round) => round.server.p99)),
      bare: spread(half.map((round) => round.other.p99)),
    },
    ...(waited.length > 0 && { waitedAtHalf: median(waited) }),
  };
}

export function ratiosOf(rounds: readonly Round[]): Pick<Comparison, 'ratio' | 'cpuRatio'> {
  return {
    ratio: spread(rounds.map(({ server, other }) => server.perSecond / other.perSecond)),
    cpuRatio: spread(rounds.map(({ server, other }) => other.cpuMicros / server.cpuMicros)),
  };
}

/** Whoever comes first changes, as what a neighbour does may go with the turn. */
export async function inTurn(rounds: number, run: (side: keyof Round) => Promise<Measured>): Promise<Round[]> {
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) measured.push({ server: await run('server'), other: await run('other') });
    else measured.push({ other: await run('other'), server: await run('server') });
  }
  return measured;
}

export async function seededServer(scenario: Scenario, registry?: RegistryServer): Promise<Subject> {
  const environment: Record<string, string> = {
    ...(scenario.durable && { DATA_DIR: temporaryFolder() }),
    ...scenario.environment,
    ...(scenario.apiKey !== undefined && knowing(scenario.apiKey)),
    ...(registry && {
      REGISTRY_TYPE: scenario.registry!,
      ...registryOf(scenario.registry!).environment(registry.address),
    }),
  };
  const server = await startServer({ environment });
  await seed(server.url, scenario.seed);
  return server;
}

/** What is registered beforehand brings no key. */
function knowing(key: string): Record<string, string> {
  const path = join(temporaryFolder(), 'keys.json');
  const sha256 = createHash('sha256').update(key).digest('hex');
  writeFileSync(path, JSON.stringify({ keys: [{ name: 'bench', sha256, role: 'reader' }] }));
  return { API_KEY_ENABLED: 'true', API_KEY_FILE: path, ANONYMOUS_ROLE: 'registrar' };
}

/** One of the two that are compared. */
export class Side {
  private next = 0;

  constructor(
    readonly subject: Subject,
    private readonly scenario: Scenario,
    private readonly generator: ChildProcess,
  ) {}

  /** What the server answers, for the route beside it to answer the same. */
  async sample(): Promise<ConstantAnswer> {
    const { method, path, headers: own, body } = this.scenario.request(this.next++);
    const init = body && { body: JSON.stringify(body) };
    const sent = { ...own, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(`${this.subject.url}${path}`, { method, headers: sent, ...init });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => !NOT_COPIED.has(name)));
    return { method, route: this.scenario.route, status: response.status, headers, body: await response.text() };
  }

  async run(ms: number, rate?: number): Promise<Measured> {
    const { url } = this.subject;
    const order: LoadOrder = { scenario: this.scenario.name, url, connections: CONNECTIONS, ms, rate, from: this.next };
    const before = await this.subject.cost();
    const waitedBefore = this.waits();
    const { requests, seconds, p50, p99, next } = await ask<LoadResult>(this.generator, order);
    const waits = this.waits().map((each, i) => each - waitedBefore[i]!);
    const after = await this.subject.cost();
    this.next = next;
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    return {
      perSecond: requests / seconds,
      p50,
      p99,
      cpuMicros: (cpuSeconds * 1e6) / requests,
      busy: cpuSeconds / seconds,
      ...(waits.length > 0 && { waited: Math.max(...waits) / seconds }),
    };
  }

  private waits(): number[] {
    return [this.subject.child, this.generator].flatMap((each) => secondsWithoutCore(each) ?? []);
  }
}
