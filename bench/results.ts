import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChecksResult } from './checks-10k.js';
import type { GrowthResult } from './growth.js';
import type { MemoryResult } from './memory.js';
import { PINNED } from './processes.js';
import type { OverheadResult } from './overhead.js';
import type { RegistryResult } from './registries/compare.js';
import type { Comparison } from './rounds.js';
import type { StartTimeResult } from './start-time.js';
import type { WatchersResult } from './watchers.js';

export const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'bench/results/latest.json');

/** What was measured, and on what. */
export interface Section<T> {
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly node: string;
    /** Server and load each had a core of their own. */
    readonly pinned: boolean;
    /** Of the minute before: above 1, others were at work as well. */
    readonly loadAverage: number;
  };
  readonly result: T;
}

/** Everything that was measured last, raw. */
export interface Results {
  comparisons: Record<string, Section<Comparison>>;
  /** By their names. */
  overheads: Record<string, Section<OverheadResult>>;
  /** By their types. */
  registries: Record<string, Section<RegistryResult>>;
  memory?: Section<MemoryResult>;
  startTime?: Section<StartTimeResult>;
  growth?: Section<GrowthResult>;
  checks?: Section<ChecksResult>;
  watchers?: Section<WatchersResult>;
}

/** Measures; the result goes with what the machine was like when it began. */
export async function section<T>(measure: () => Promise<T>): Promise<Section<T>> {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    pinned: PINNED,
    loadAverage: Math.round(loadavg()[0]! * 10) / 10,
  };
  return { at: new Date().toISOString(), machine, result: await measure() };
}

export function readResults(): Results {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { comparisons: {}, overheads: {}, registries: {} };
    throw error;
  }
}

export function writeResults(results: Results): void {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(results, rounded, 2)}\n`);
}

/** Four digits say more than enough. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
