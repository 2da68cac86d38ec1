import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs the program in place of the shell, and beside it a watch over the pipe from the process that
 * started it: when that ends, however it ends, the watch ends the program and removes its folder. A line
 * in the pipe says that the program has ended by itself.
 */
const WATCHED = `{ read -r _ <&3 || { kill -9 $$; rm -rf "$0"; }; } >/dev/null 2>&1 & exec "$@" 3<&-`;

/** A program that does not outlive this process. */
export class SupervisedProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  /** What it writes is added to the log. The folder is its own. */
  constructor(program: string, args: readonly string[], folder: string, logFile: string) {
    const log = openSync(logFile, 'a');
    // A group of its own: Ctrl-C is for the tests, which end it.
    this.child = spawn('/bin/sh', ['-c', WATCHED, folder, program, ...args], {
      stdio: ['ignore', log, log, 'pipe'],
      detached: true,
    });
    closeSync(log);
    const watch = this.child.stdio[3] as Writable;
    // The watch may have been killed too.
    watch.on('error', () => undefined);
    this.exited = once(this.child, 'exit').then(() => watch.end('\n'));
  }

  get pid(): number {
    return this.child.pid!;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async suspend(): Promise<void> {
    this.child.kill('SIGSTOP');
    while (!(await isStopped(this.pid))) await sleep(1);
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }
}

/** A process stops thread by thread. Where there is no /proc to say so, it is taken at its word. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const states = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
  return states.every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'));
}
