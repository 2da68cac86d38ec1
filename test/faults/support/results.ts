import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { basename, join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../results');

/** What one fault on one backend came to. Times are milliseconds. */
export interface Cell {
  /** Until an answer said that it may be old. Absent: none had to. */
  readonly staleMs?: number;
  /** From the registry's return until the answers said what it says. */
  readonly convergedMs: number;
  /** From the registry's return until an instance that had fallen silent when the fault began was gone. */
  readonly silentGoneMs: number;
  readonly reads: number;
  readonly failedReads: number;
  readonly slowestReadMs: number;
  readonly writes: Readonly<Record<'done' | 'refused' | 'unknown' | 'missing', number>>;
  /** Writes that were done while the fault lasted. */
  readonly writtenMeanwhile: number;
  readonly slowestRefusalMs: number;
  /** Heartbeats that were answered by a 404. */
  readonly lost: number;
}

/** What was measured last on one backend, by the names of the faults. */
export interface Results {
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly loadAverage: number;
  };
  readonly cells: Readonly<Record<string, Cell>>;
}

/** By backend. */
export function readResults(): ReadonlyMap<string, Results> {
  const names = readdirSync(FOLDER).sort();
  return new Map(names.map((name) => [basename(name, '.json'), parse(name)]));
}

/** Keeps what this run has measured in place of what the last one had, where the run is told to. */
export function record(backend: string, fault: string, cell: Cell): void {
  if (!process.env.RECORD) return;
  mkdirSync(FOLDER, { recursive: true });
  const file = `${backend}.json`;
  const before = readdirSync(FOLDER).includes(file) ? parse(file).cells : {};
  const results: Results = {
    at: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      node: process.version,
      loadAverage: Math.round(loadavg()[0]! * 10) / 10,
    },
    cells: { ...before, [fault]: cell },
  };
  writeFileSync(join(FOLDER, file), `${JSON.stringify(results, whole, 2)}\n`);
}

function parse(file: string): Results {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Results;
}

function whole(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}
