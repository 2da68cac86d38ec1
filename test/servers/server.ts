import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a server may take until it answers. The machine may be busy. */
const START_MS = 60_000;
const ATTEMPTS = 3;

/** How to start one, on ports and in a folder that are its own for as long as it lives. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** By which clients know it. */
  readonly address: string;
  /** Rejects until it can serve. */
  readonly ready: () => Promise<void>;
}

/**
 * Runs the program in place of the shell, and beside it a watch over the pipe from the process that
 * started it: when that ends, however it ends, the watch ends the server and removes its folder. A line
 * in the pipe says that the server is gone.
 */
const WATCHED = `{ read -r _ <&3 || { kill -9 $$; rm -rf "$0"; }; } >/dev/null 2>&1 & exec "$@" 3<&-`;

/** A real server for tests. Whoever starts it stops it; it does not outlive the process that started it. */
export class Server {
  private child!: ChildProcess;
  private exited!: Promise<unknown>;

  private constructor(
    private readonly name: string,
    private readonly folder: string,
    private readonly launch: Launch,
  ) {}

  /** Resolves when it answers. `plan` is asked for each attempt: somebody else may have taken a port. */
  static async start(name: string, plan: (folder: string) => Promise<Launch>): Promise<Server> {
    for (let attempt = 1; ; attempt++) {
      const folder = await mkdtemp(join(tmpdir(), `service-discovery-${name}-`));
      const server = new Server(name, folder, await plan(folder));
      try {
        await server.run();
        return server;
      } catch (error) {
        const taken = /address already in use/i.test(server.log());
        await server.stop();
        if (!taken || attempt === ATTEMPTS) throw error;
      }
    }
  }

  get address(): string {
    return this.launch.address;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Everything that it wrote. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Ends it as a crash does. Its data stay. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Again, on the same ports and data. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** It keeps its connections and answers nothing. */
  async suspend(): Promise<void> {
    this.child.kill('SIGSTOP');
    while (!(await isStopped(this.pid))) await sleep(1);
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends it, with its data. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get logFile(): string {
    return join(this.folder, 'log');
  }

  private async run(): Promise<void> {
    const { program, args } = this.launch;
    const log = openSync(this.logFile, 'a');
    // A group of its own: Ctrl-C is for the tests, which end it.
    this.child = spawn('/bin/sh', ['-c', WATCHED, this.folder, program, ...args], {
      stdio: ['ignore', log, log, 'pipe'],
      detached: true,
    });
    closeSync(log);
    const watch = this.child.stdio[3] as Writable;
    // It may have been ended together with the server.
    watch.on('error', () => undefined);
    this.exited = once(this.child, 'exit').then(() => watch.end('\n'));
    await this.answers();
  }

  private async answers(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`${this.name} ended before it answered:\n${this.log()}`);
      }
      try {
        await this.launch.ready();
        return;
      } catch (error) {
        if (performance.now() > deadline) {
          throw new Error(`${this.name} does not answer:\n${this.log()}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }
}

/** A process stops thread by thread. Where there is no /proc to say so, it is taken at its word. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const states = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
  return states.every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'));
}
