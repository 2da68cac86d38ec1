import { parseArgs } from 'node:util';
import { checkTenThousand } from './checks-10k.js';
import { measureGrowth } from './growth.js';
import { measureMemory } from './memory.js';
import {
  checksText,
  growthText,
  memoryText,
  overheadRow,
  registryRows,
  requestRow,
  startTimeText,
  watchersText,
} from './page.js';
import { measureOverhead } from './overhead.js';
import { endAll } from './processes.js';
import { compareWithRaw } from './registries/compare.js';
import { REGISTRIES, type RawRegistry } from './registries/index.js';
import { readResults, section, writeResults, type Results } from './results.js';
import { compare } from './rounds.js';
import { OVERHEADS, SCENARIOS, type Overhead, type Scenario } from './scenarios.js';
import { measureStartTime } from './start-time.js';
import { measureWatchers } from './watchers.js';

const START_RUNS = 5;
const CHECKS_SECONDS = 60;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
});
const { rounds, seconds } = { rounds: Number(values.rounds), seconds: Number(values.seconds) };

type Measure = (results: Results) => Promise<string>;

/** What there is to measure; each keeps its result and returns what is to be said of it. */
const MEASUREMENTS = new Map<string, Measure>([
  ...SCENARIOS.map((scenario) => [scenario.name, comparison(scenario)] as const),
  ...OVERHEADS.map((overhead) => [`overhead-${overhead.name}`, withAndWithout(overhead)] as const),
  ...REGISTRIES.map((registry) => [`registry-${registry.type}`, beside(registry)] as const),
  ['memory', async (all) => memoryText((all.memory = await section(() => measureMemory())).result)],
  [
    'start-time',
    async (all) => startTimeText((all.startTime = await section(() => measureStartTime(START_RUNS))).result),
  ],
  ['growth', async (all) => growthText((all.growth = await section(() => measureGrowth(seconds))).result)],
  ['watchers', async (all) => watchersText((all.watchers = await section(() => measureWatchers())).result)],
  [
    'checks-10k',
    async (all) => checksText((all.checks = await section(() => checkTenThousand(CHECKS_SECONDS))).result),
  ],
]);

const USAGE = `usage: npm run bench [-- NAME… --rounds N --seconds N]
Without names everything is measured, in about ten minutes. Names: ${[...MEASUREMENTS.keys()].join(', ')}.`;

function comparison(scenario: Scenario): Measure {
  return async (all) => {
    const measured = await section(() => compare(scenario, { rounds, seconds }));
    all.comparisons[scenario.name] = measured;
    return requestRow(measured.result).join('  ');
  };
}

function withAndWithout(overhead: Overhead): Measure {
  return async (all) => {
    const measured = await section(() => measureOverhead(overhead, { rounds, seconds }));
    all.overheads[overhead.name] = measured;
    return overheadRow(overhead, measured.result).join('  ');
  };
}

function beside(registry: RawRegistry): Measure {
  return async (all) => {
    const measured = await section(() => compareWithRaw(registry, { rounds, seconds }));
    all.registries[registry.type] = measured;
    return registryRows(measured.result)
      .map((row) => row.join('  '))
      .join('\n');
  };
}

async function run(): Promise<void> {
  const names = positionals.length > 0 ? positionals : [...MEASUREMENTS.keys()];
  const unknown = names.filter((name) => !MEASUREMENTS.has(name));
  if (values.help || unknown.length > 0 || !(rounds >= 1) || !(seconds > 0)) {
    console.log(unknown.length > 0 ? `unknown: ${unknown.join(', ')}\n${USAGE}` : USAGE);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const results = readResults();
  for (const name of names) {
    console.log(await MEASUREMENTS.get(name)!(results));
    writeResults(results);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}
try {
  await run();
} finally {
  await endAll();
}
