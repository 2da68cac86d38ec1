// npm run servers: prepares every program that tests start servers from.
import { performance } from 'node:perf_hooks';
import { TOOLS } from '../deploy/support/tools.js';
import { SERVERS } from './index.js';
import { programs as prometheus } from './prometheus.js';
import type { Program } from './program.js';

const TELL_MS = 30_000;

for (const program of new Set([...SERVERS.flatMap(({ programs }) => programs), ...prometheus, ...TOOLS])) {
  try {
    if (program.find() === undefined) await prepare(program);
    report(program, program.find()!);
  } catch (error) {
    report(program, (error as Error).message);
    process.exitCode = 1;
  }
}

async function prepare(program: Program): Promise<void> {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1_000);
  const telling = setInterval(() => report(program, `still at it after ${seconds()} s`), TELL_MS);
  try {
    await program.prepare((line) => report(program, line));
    report(program, `prepared in ${seconds()} s`);
  } finally {
    clearInterval(telling);
  }
}

function report({ name, version }: Program, line: string): void {
  console.log(`${name} ${version}: ${line}`);
}
