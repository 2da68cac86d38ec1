import type { ChecksResult } from './checks-10k.js';
import { ms, paragraphs, percent, share, table, whole } from './format.js';
import type { GrowthResult } from './growth.js';
import type { MemoryResult } from './memory.js';
import type { OverheadResult } from './overhead.js';
import type { RegistryResult } from './registries/compare.js';
import { REGISTRIES } from './registries/index.js';
import type { Results, Section } from './results.js';
import type { Comparison } from './rounds.js';
import { OVERHEADS, SCENARIOS, type Overhead, type Scenario } from './scenarios.js';
import type { StartTimeResult } from './start-time.js';
import type { WatchersResult } from './watchers.js';

// Results as docs/performance.md and a terminal show them.

export function performancePage(results: Results): string {
  const { memory, startTime, growth, checks, watchers } = results;
  const registries = REGISTRIES.flatMap(({ type }) => results.registries[type] ?? []);
  const comparisons = SCENARIOS.flatMap(({ name }) => results.comparisons[name] ?? []);
  const sections = [
    ...comparisons,
    ...Object.values(results.overheads),
    ...registries,
    memory,
    startTime,
    growth,
    checks,
    watchers,
  ].filter((each) => each !== undefined);
  return `${paragraphs(
    '# Performance',
    '<!-- Made by `npm run docs` of bench/results/latest.json: do not edit. -->',
    '`npm run bench` starts everything that it measures, each time anew and on loopback, and keeps what it found, raw, in [bench/results/latest.json](../bench/results/latest.json). Beside the server stands a bare Fastify route that parses the same requests and always sends the same bytes and headers; the two are measured in turn, so that what disturbs one disturbs the other. **The ratios hold elsewhere; absolute figures are this machine’s at that moment.** In brackets: the least and the most of the rounds.',
    machineText(sections),
    requestsText(comparisons.map(({ result }) => result)),
    overheadsText(results.overheads),
    registriesText(registries.map(({ result }) => result)),
    memory ? memoryText(memory.result) : '',
    startTime ? startTimeText(startTime.result) : '',
    growth ? growthText(growth.result) : '',
    checks ? checksText(checks.result) : '',
    watchers ? watchersText(watchers.result) : '',
  )}\n`;
}

function machineText(sections: readonly Section<unknown>[]): string {
  const [first] = sections;
  if (!first) return '';
  const { cpu, cores, memoryGb, node, pinned } = first.machine;
  const loads = sections.map(({ machine }) => machine.loadAverage);
  const where = pinned ? 'server and load on a core each' : 'server and load not pinned to cores';
  return (
    `Measured on ${cores} cores of ${cpu}, ${memoryGb} GB, Node ${node}, ${where}. ` +
    `The load average before each part was ${Math.min(...loads)} to ${Math.max(...loads)}; a part by itself leaves about 1 to 2.`
  );
}

function requestsText(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return '';
  return paragraphs(
    '## Requests',
    'One core for the server, 32 connections. _Of bare_ is requests a second against the route beside it; _by CPU_ the same by processor time for each request, which holds even where the load generator or a neighbour was the limit. _Without a core_ is how much of the time at half load the server or the load generator was ready to run and something else had its core: what comes meanwhile waits, and p99 shows little else.',
    table(
      ['', 'requests a second', 'of bare', 'by CPU', 'p99 at half load', 'without a core', 'target'],
      comparisons.map(requestRow),
    ),
  );
}

function overheadsText(overheads: Results['overheads']): string {
  const rows = OVERHEADS.flatMap((each) => {
    const measured = overheads[each.name];
    return measured ? [overheadRow(each, measured.result)] : [];
  });
  if (rows.length === 0) return '';
  return paragraphs(
    '## What it costs',
    'The same cached discovery from a server with and a server without, in turn on one core: how much is left of the requests a second.',
    table(['', 'of that without', 'by CPU', 'target'], rows),
  );
}

export function overheadRow({ name, title, target }: Overhead, { ratio, cpuRatio }: OverheadResult): string[] {
  return [
    `**${name}**: ${title}`,
    share(ratio),
    share(cpuRatio),
    goal(`${target} of that without`, ratio.median >= target),
  ];
}

function registriesText(results: readonly RegistryResult[]): string {
  if (results.length === 0) return '';
  return paragraphs(
    '## Writes to a registry',
    `A backend, without HTTP before it, beside the operations that a client of the registry’s own would use for the same: ${results[0]!.callers} callers who wait for each answer, the registry on the other core. The target is 0.7 of raw.`,
    table(['', '', 'a second', 'of raw', 'raw'], results.flatMap(registryRows)),
  );
}

/** A row each for registrations and for heartbeats. */
export function registryRows({ type, operations }: RegistryResult): string[][] {
  return (['register', 'heartbeat'] as const).map((operation) => {
    const { perSecond, ratio, raw } = operations[operation];
    return [`**${type}**`, operation, whole(perSecond), share(ratio), raw];
  });
}

export function requestRow({ scenario, perSecond, ratio, cpuRatio, p99AtHalf, waitedAtHalf }: Comparison): string[] {
  const { title, targets = {} } = SCENARIOS.find(({ name }) => name === scenario)!;
  const p99 = `${ms(p99AtHalf.server.median)} (bare ${ms(p99AtHalf.bare.median)})`;
  const goals = goalsMet(targets, ratio.median, perSecond.median, p99AtHalf.server.median);
  const waited = waitedAtHalf === undefined ? '' : percent(waitedAtHalf);
  return [`**${scenario}**: ${title}`, whole(perSecond), share(ratio), share(cpuRatio), p99, waited, goals];
}

function goal(text: string, met: boolean): string {
  return `${text}: ${met ? 'met' : '**not met**'}`;
}

function goalsMet(targets: NonNullable<Scenario['targets']>, ratio: number, perSecond: number, p99: number): string {
  const { ratio: wanted, perSecond: rate, p99: most } = targets;
  return [
    ...(wanted === undefined ? [] : [goal(`${wanted} of bare`, ratio >= wanted)]),
    ...(rate === undefined ? [] : [goal(`${rate}/s`, perSecond >= rate)]),
    ...(most === undefined ? [] : [goal(`p99 < ${most} ms`, p99 < most)]),
  ].join(', ');
}

export function memoryText({ variants }: MemoryResult): string {
  const rows = variants.map(({ variant, instances, empty, filled, afterLoad, parts }) => {
    const { files, young, live, garbage, rest } = parts ?? {};
    const values = [empty, filled, afterLoad, files, young, live, garbage, rest];
    return [variant, String(instances), ...values.map((value) => value?.toFixed(0) ?? '')];
  });
  const parts = ['files', 'young', 'live', 'garbage', 'rest'];
  return paragraphs(
    '## Memory',
    'Megabytes resident: with nothing registered, with as many services as named, of one instance each, and after seconds of discovery and picks at full speed. Of what that last consists: _files_, the pages of the node program and its libraries, which all Node processes of a machine share; of JavaScript, the _young_ generation, where everything new is put, what is _live_ after a collection, and _garbage_ with the room that V8 keeps; the _rest_, malloc, stacks and buffers.',
    table(['', 'services', 'empty', 'filled', 'after load', ...parts], rows),
    '_Lean_ is `MALLOC_ARENA_MAX=1 node --max-semi-space-size=4 --optimize-for-size`, which costs some processor time. The image starts the server so. What is registered takes the least of it, and what is live is above all the modules’ code.',
  );
}

export function startTimeText({ runs, server, bare }: StartTimeResult): string {
  return paragraphs(
    '## Start',
    `From the start of the process to the first answer, ${runs} times: ${whole(server)} ms; bare Fastify ${whole(bare)} ms.`,
  );
}

export function growthText({ curves }: GrowthResult): string {
  const sizes = curves[0]?.points.map(({ instances }) => String(instances)) ?? [];
  const rows = curves.map(({ title, points, slope, expected }) => [
    title,
    ...points.map(({ cpuMicros }) => cpuMicros.toFixed(0)),
    slope.toFixed(2),
    expected,
  ]);
  return paragraphs(
    '## Growth',
    'Microseconds of processor time for a request while the registry grows. The exponent is the slope of a straight line through the logarithms: 0, size does not matter; 1, twice the size costs twice as much.',
    table(['instances', ...sizes, 'exponent', 'expected'], rows),
  );
}

export function checksText({
  checks,
  intervalMs,
  seconds,
  probes,
  missed,
  busy,
  rssBytes,
  late,
  drift,
  lag,
}: ChecksResult): string {
  const row = (title: string, { p50, p99, max }: { p50: number; p99: number; max: number }) => [
    title,
    ms(p50),
    ms(p99),
    ms(max),
  ];
  return paragraphs(
    `## ${checks} health checks`,
    `${checks} real HTTP checks every ${intervalMs / 1_000} s by one process, watched for ${seconds} s once the first probes had spread: ` +
      `${probes} probes came, ${missed} checks missed one, ${percent(busy)} of a core, ${(rssBytes / 1e6).toFixed(0)} MB resident.`,
    table(
      ['', 'p50', 'p99', 'max'],
      [
        row('probe later than planned', late),
        row(`mean interval of a check off its ${intervalMs / 1_000} s`, drift),
        row('lag of the event loop', lag),
      ],
    ),
  );
}

export function watchersText({ many, few }: WatchersResult): string {
  const row = (title: string, { p50, p99, max }: WatchersResult['many']['late']) => [title, ms(p50), ms(p99), ms(max)];
  return paragraphs(
    '## Watchers',
    `${many.watchers} event streams of one service, and ${many.changes} changes of it, each when all have heard of the one before: a watcher takes ${(many.bytesPerWatcher / 1_024).toFixed(1)} KB. ` +
      `Then ${few.watchers} streams and ${few.rate} changes a second: ${few.acknowledged.toFixed(0)} were acknowledged a second, ${percent(few.told)} of the events were sent, the others overtaken, at ${percent(few.busy)} of a core. ` +
      'The server may have as many files open as there are watchers and a few hundred more: `ulimit -n`.',
    table(
      ['', 'p50', 'p99', 'max'],
      [
        row(`acknowledgement to the last of ${many.watchers} watchers`, many.late),
        row(`sending to each of ${few.watchers} watchers`, few.late),
      ],
    ),
  );
}
