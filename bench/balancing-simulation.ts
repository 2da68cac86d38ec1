/**
 * How many calls succeed within a second, by strategy, when one of eleven instances misbehaves: the
 * experiment of "Beyond Round Robin: Load Balancing for Latency"
 * (https://linkerd.io/2016/03/16/beyond-round-robin-load-balancing-for-latency/), in simulated time and
 * with seeded randomness, so that it comes out the same every time. Prints the table of docs/balancing.md.
 */
import { Balancer, seededRandom, STRATEGIES } from '#balancing';
import type { Outcome, ServiceInstance } from '#core';

const INSTANCES = 11;
const CALLS_PER_SECOND = 200;
const DURATION_MS = 10 * 60_000;
/** The caller gives up, and reports a failure. */
const DEADLINE_MS = 1_000;
const SEED = 1;

interface Answer {
  readonly ok: boolean;
  readonly afterMs: number;
}

interface Scenario {
  readonly name: string;
  /** How the one that misbehaves answers a call at a time. */
  readonly answer: (random: () => number, at: number) => Answer;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'slow: 2–5 s', answer: slow },
  { name: 'slow for 20 s of every minute', answer: (random, at) => (at % 60_000 < 20_000 ? slow : usual)(random) },
  { name: 'fails in 2 ms', answer: () => ({ ok: false, afterMs: 2 }) },
];

function slow(random: () => number): Answer {
  return { ok: true, afterMs: 2_000 + 3_000 * random() };
}

/** 50 ms on average, never under 20. */
function usual(random: () => number): Answer {
  return { ok: true, afterMs: 20 - 30 * Math.log(1 - random()) };
}

interface Report {
  readonly at: number;
  readonly outcome: Outcome;
  readonly done: (outcome: Outcome) => void;
}

/** @returns the share of calls that were answered well and in time. */
function simulate(strategy: string, scenario: Scenario): number {
  const random = seededRandom(SEED);
  let time = 0;
  const balancer = new Balancer({ now: () => time, random: seededRandom(SEED + 1) });
  const candidates = Array.from({ length: INSTANCES }, (_, i) => instance(`api-${String(i).padStart(2, '0')}`));
  const misbehaving = candidates[INSTANCES >> 1];
  const reports: Report[] = [];
  let calls = 0;
  let successes = 0;

  // Open loop: calls come when they come (Poisson), however long those before them take.
  for (let arrival = 0; arrival < DURATION_MS; arrival -= (1_000 / CALLS_PER_SECOND) * Math.log(1 - random())) {
    while (reports.length > 0 && reports[0]!.at <= arrival) {
      const { at, outcome, done } = reports.shift()!;
      time = at;
      done(outcome);
    }
    time = arrival;
    const pick = balancer.pick(strategy, candidates, { scope: 'api', hashKey: `user-${Math.floor(random() * 1e6)}` })!;
    const answer = pick.instance === misbehaving ? scenario.answer(random, time) : usual(random);
    const durationMs = Math.min(answer.afterMs, DEADLINE_MS);
    const ok = answer.ok && answer.afterMs <= DEADLINE_MS;
    calls++;
    if (ok) successes++;
    const report = {
      at: time + durationMs,
      outcome: { ok, durationMs },
      done: (outcome: Outcome) => pick.done(outcome),
    };
    const later = reports.findIndex(({ at }) => at > report.at);
    reports.splice(later < 0 ? reports.length : later, 0, report);
  }
  return successes / calls;
}

function instance(serviceId: string): ServiceInstance {
  return {
    serviceName: 'api',
    serviceId,
    address: '10.0.0.1',
    port: 8080,
    tags: [],
    metadata: {},
    reported: 'passing',
    registeredAt: 0,
    changed: { cause: 'registered', actor: 'simulation', at: 0 },
    version: '1',
    vitals: {},
  };
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const lines = STRATEGIES.map(({ name }) =>
  row([`\`${name}\``, ...SCENARIOS.map((scenario) => `${(simulate(name, scenario) * 100).toFixed(2)} %`)]),
);
console.log(
  [row(['strategy', ...SCENARIOS.map(({ name }) => name)]), row(['---', '---:', '---:', '---:']), ...lines].join('\n'),
);
