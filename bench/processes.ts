import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConstantAnswer } from './bare.js';
import { cpuSeconds } from './proc.js';

// Whatever is started here is ended by `endAll`, whatever has happened.

const ROOT = join(import.meta.dirname, '../..');
const SERVER = join(import.meta.dirname, '../bundle/main.js');
const PATIENCE_MS = 30_000;
const LOOK_MS = 2;

/** What is measured has a core of its own, and so has what puts it under load. */
const CORES = { measured: '0', load: '1' } as const;
export type Core = keyof typeof CORES;
export const PINNED = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0;

const children = new Set<ChildProcess>();
const folders = new Set<string>();

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'service-discovery-bench-'));
  folders.add(folder);
  return folder;
}

/** Kills what still runs and removes what was written beside it. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export interface StartOptions {
  readonly core?: Core;
  readonly nodeArgs?: readonly string[];
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program of ours that talks to its parent by messages; standard output goes nowhere unless a descriptor is given. */
export function startProgram(
  program: string,
  { core, nodeArgs = [], args: own = [], environment = {} }: StartOptions = {},
  stdout: number | 'ignore' = 'ignore',
): ChildProcess {
  const node = [process.execPath, ...nodeArgs, program, ...own];
  const [command = '', ...args] = core && PINNED ? ['taskset', '-c', CORES[core], ...node] : node;
  const { PATH = '' } = process.env;
  const env = { PATH, NODE_ENV: 'production', ...environment };
  const child = spawn(command, args, { env, stdio: ['ignore', stdout, 'inherit', 'ipc'] });
  children.add(child);
  return child;
}

/** The next message of a program. */
export function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const hear = (message: unknown) => {
      child.removeListener('exit', complain);
      resolve(message as T);
    };
    const complain = () => {
      child.removeListener('message', hear);
      reject(new Error(`${child.spawnargs.join(' ')} ended too early`));
    };
    child.once('message', hear).once('exit', complain);
  });
}

/** Asks a program and waits for its answer: one question at a time. */
export function ask<T>(child: ChildProcess, question: object): Promise<T> {
  const answer = messageOf<T>(child);
  child.send(question);
  return answer;
}

/** Something that answers over HTTP, and what it costs. */
export interface Subject {
  readonly url: string;
  readonly child: ChildProcess;
  cost(): Promise<Cost>;
  stop(): Promise<void>;
}

export interface Cost {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

const QUIET = {
  ENVIRONMENT: 'test',
  SERVICE_HOST: '127.0.0.1',
  SERVICE_PORT: '0',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info',
  // As in production, where the profile `test` is more hasty.
  SERVICE_TTL: '300',
  CATALOG_REFRESH_INTERVAL: '30',
};

export interface Server extends Subject {
  /** The file that it logs to, one JSON object a line. */
  readonly log: string;
}

/** The server on a free port. */
export async function startServer(options: StartOptions = {}): Promise<Server> {
  const log = join(temporaryFolder(), 'log');
  const environment = { ...QUIET, ...options.environment };
  const output = openSync(log, 'w');
  const child = startProgram(SERVER, { core: 'measured', ...options, environment }, output);
  closeSync(output);
  const url = await servingAt(log, child);
  return { url, child, log, cost: () => costOf(url, child), stop: () => end(child) };
}

/** Bare Fastify on a free port, with one route that answers always the same. */
export async function startBare(answer: ConstantAnswer, options: StartOptions = {}): Promise<Subject> {
  const child = startProgram(join(import.meta.dirname, 'bare.js'), { core: 'measured', ...options });
  const { port } = await ask<{ port: number }>(child, answer);
  const cost = () => ask<Cost>(child, { cost: true });
  return { url: `http://127.0.0.1:${port}`, child, cost, stop: () => end(child) };
}

export interface RegistryServer {
  readonly address: string;
  readonly child: ChildProcess;
}

/** A real registry as the integration suites run it, from the sources; `npm run servers` makes what it needs. */
export async function startRegistry(type: string): Promise<RegistryServer> {
  const child = startProgram(join(ROOT, 'test/servers/serve.ts'), {
    core: 'load',
    nodeArgs: ['--import', join(ROOT, 'test/support/typescript.mjs')],
    args: [type],
    environment: homeOfServers(),
  });
  const { address } = await messageOf<{ address: string }>(child);
  return { address, child };
}

/** Where the programs of registries are found. */
function homeOfServers(): Record<string, string> {
  const names = ['HOME', 'XDG_CACHE_HOME'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

async function servingAt(log: string, child: ChildProcess): Promise<string> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const line = readFileSync(log, 'utf8')
      .split('\n')
      .find((each) => each.includes('"msg":"serving"'));
    if (line !== undefined) return (JSON.parse(line) as { url: string }).url;
    await sleep(LOOK_MS);
  }
  throw new Error(`the server does not serve:\n${readFileSync(log, 'utf8')}`);
}

/** Where metrics are switched off, nobody knows of its memory. */
async function costOf(url: string, child: ChildProcess): Promise<Cost> {
  const metric = metricsIn(await (await fetch(`${url}/metrics`)).text());
  return {
    cpuSeconds: cpuSeconds(child) ?? metric('process_cpu_seconds_total'),
    rssBytes: metric('process_resident_memory_bytes'),
    heapBytes: metric('nodejs_heap_size_used_bytes'),
  };
}

/** Reads metrics without labels from Prometheus' text. */
export function metricsIn(text: string): (name: string) => number {
  return (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}
