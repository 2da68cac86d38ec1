import { spawn, type ChildProcess } from 'node:child_process';
import type { ScriptCommand } from '#core';
import { decoded, MAX_OUTPUT_BYTES } from '../text.js';

/** What a program has written is read within this time of its end, whoever still holds its output open. */
const DRAIN_MS = 100;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The beginning of what it wrote, on either stream. */
  readonly output: string;
}

/**
 * Runs a program in a process group of its own, which is killed as a whole when the program has
 * ended or the signal aborts, whatever it has started meanwhile.
 * @param env All that it gets of an environment, with `PATH`.
 * @throws Error when it cannot be started.
 */
export async function runProgram(
  { command, args }: ScriptCommand,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Ended | 'aborted'> {
  if (signal.aborted) return 'aborted';
  const child = spawn(command, args, {
    cwd: '/',
    detached: true,
    env: { ...env, PATH: process.env.PATH },
    shell: false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  return new Promise((resolve, reject) => {
    let draining: NodeJS.Timeout | undefined;
    // A child of its own that has left the group, a daemon say, may hold them open for ever.
    const hangUp = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const onAbort = () => {
      killGroup(child);
      hangUp();
      resolve('aborted');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    child.once('exit', () => {
      killGroup(child);
      draining = setTimeout(hangUp, DRAIN_MS);
    });
    child.once('error', reject);
    child.once('close', (code, by) => {
      clearTimeout(draining);
      signal.removeEventListener('abort', onAbort);
      resolve({ code, signal: by, output: output() });
    });
  });
}

/** What is too much is read and dropped: a program that nobody listens to would stop. */
function collect(child: ChildProcess): () => string {
  const kept: Buffer[] = [];
  let left = MAX_OUTPUT_BYTES;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      if (left > 0) kept.push(chunk.subarray(0, left));
      left -= chunk.length;
    });
  }
  return () => decoded(Buffer.concat(kept));
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
