import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConstantAnswer } from './bare.js';
import type { HeapParts } from './heap-probe.js';
import type { LoadOrder } from './load-program.js';
import { residentParts } from './proc.js';
import {
  ask,
  end,
  messageOf,
  startBare,
  startProgram,
  startServer,
  type StartOptions,
  type Subject,
} from './processes.js';
import { seed } from './seed.js';

// Resident memory: empty, filled, and after load.

export interface MemoryResult {
  readonly variants: readonly MemoryOf[];
}

/** Megabytes. */
export interface MemoryOf {
  readonly variant: string;
  /** Of as many services: the most that there can be. */
  readonly instances: number;
  readonly empty: number;
  readonly filled: number;
  readonly afterLoad: number;
  /** What that consists of, where the system tells. */
  readonly parts?: Parts;
}

/** Megabytes. */
export interface Parts {
  /** Of the node program and of libraries: of files, and shared with every other Node on the machine. */
  readonly files: number;
  /** JavaScript: where everything new is put. */
  readonly young: number;
  /** JavaScript: what is left by a collection, the modules' code above all. */
  readonly live: number;
  /** JavaScript: garbage, and room that the heap keeps. */
  readonly garbage: number;
  /** Everything else that is its own: malloc, stacks, buffers. */
  readonly rest: number;
}

interface Variant {
  readonly name: string;
  readonly instances: number;
  readonly start: (options: StartOptions) => Promise<Subject>;
}

const MB = 1e6;
/** What was left behind may be collected meanwhile. */
const REST_MS = 1_000;
const LOAD_MS = 3_000;
/** As the image starts it: a small young generation, an old one that is collected sooner, and one heap of malloc for all threads. */
const LEAN = { nodeArgs: ['--max-semi-space-size=4', '--optimize-for-size'], environment: { MALLOC_ARENA_MAX: '1' } };
const PROBE = ['--expose-gc', '--import', join(import.meta.dirname, 'heap-probe.js')];
const ANYTHING: ConstantAnswer = { method: 'GET', route: '*', status: 200, headers: {}, body: 'x'.repeat(2_000) };

const VARIANTS: readonly Variant[] = [
  { name: 'as it is', instances: 1_000, start: startServer },
  { name: 'as it is', instances: 10_000, start: startServer },
  {
    name: 'lean',
    instances: 1_000,
    start: ({ nodeArgs = [] }) => startServer({ ...LEAN, nodeArgs: [...LEAN.nodeArgs, ...nodeArgs] }),
  },
  { name: 'bare Fastify', instances: 0, start: (options) => startBare(ANYTHING, options) },
];

export async function measureMemory(): Promise<MemoryResult> {
  const variants: MemoryOf[] = [];
  for (const variant of VARIANTS) variants.push(await measure(variant));
  return { variants };
}

async function measure({ name, instances, start }: Variant): Promise<MemoryOf> {
  const subject = await start({ nodeArgs: PROBE });
  const generator = startProgram(join(import.meta.dirname, 'load-program.js'), { core: 'load' });
  const empty = await resident(subject);
  await seed(subject.url, { instances, services: instances });
  const filled = await resident(subject);
  for (const scenario of ['discovery', 'pick-round_robin']) {
    const order: LoadOrder = { scenario, url: subject.url, connections: 32, ms: LOAD_MS, from: 0 };
    await ask(generator, order);
  }
  const afterLoad = await resident(subject);
  const parts = await partsOf(subject);
  await Promise.all([subject.stop(), end(generator)]);
  return { variant: name, instances, empty, filled, afterLoad, parts };
}

async function resident(subject: Subject): Promise<number> {
  await sleep(REST_MS);
  return (await subject.cost()).rssBytes / MB;
}

/** The last that is asked of it: it collects its garbage. */
async function partsOf({ child }: Subject): Promise<Parts | undefined> {
  const resident = residentParts(child);
  if (!resident) return undefined;
  const told = messageOf<HeapParts>(child);
  child.kill('SIGUSR2');
  const { young, old, live } = await told;
  return {
    files: resident.files / MB,
    young: young / MB,
    live: live / MB,
    garbage: (old - live) / MB,
    rest: (resident.own - young - old) / MB,
  };
}
