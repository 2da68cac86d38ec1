import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverProgram } from './build.js';

// Real processes for tests: whatever is started here is ended by `endProcesses`, whatever has happened.

/** How long a test may take that starts processes. Generous, as is the next: the machine may be busy. */
export const TEST_MS = 120_000;
/** Nothing waits for so long when all is well. */
const PATIENCE_MS = 60_000;

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** Kills what still runs and removes the folders: for `afterEach`. */
export async function endProcesses(): Promise<void> {
  await Promise.all(
    [...children].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }),
  );
  children.clear();
  await Promise.all([...folders].map((folder) => rm(folder, { recursive: true, force: true })));
  folders.clear();
}

/** An empty folder, gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'service-discovery-'));
  folders.add(folder);
  return folder;
}

/** Resolves like the promise; rejects, saying what did not come, when that takes too long. */
export async function within<T>(promise: Promise<T>, what: string, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export type Environment = Readonly<Record<string, string>>;

/** The least that a test's server needs: a free port on loopback, and a log that can be read. */
const DEFAULTS: Environment = {
  ENVIRONMENT: 'test',
  SERVICE_HOST: '127.0.0.1',
  SERVICE_PORT: '0',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info',
  SERVICE_TTL: '300',
};

/** A line of the server's log. `at` is when it was written, milliseconds since the epoch. */
export interface LogLine {
  readonly at: number;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The server as a process of its own. */
export class ServerProcess {
  readonly log: LogLine[] = [];
  stdout = '';
  stderr = '';
  /** Resolves when it has ended and everything that it wrote is here. */
  readonly exited: Promise<Exit>;
  private unfinished = '';
  private readonly readers = new Set<() => void>();

  /** @param child Started just now, its standard output and error piped to here. */
  constructor(readonly child: ChildProcess) {
    children.add(child);
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.tellReaders();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.read(text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  /**
   * Starts it, and waits for nothing. Only what is named here is in its environment.
   *
   * @param stdout A file to log to, by its descriptor: nothing is known of the log then.
   */
  static spawn(
    environment: Environment = {},
    args: readonly string[] = [],
    cwd?: string,
    stdout: number | 'pipe' = 'pipe',
  ): ServerProcess {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, ...DEFAULTS, ...environment };
    return new ServerProcess(
      spawn(process.execPath, [serverProgram(), ...args], { env, cwd, stdio: ['ignore', stdout, 'pipe'] }),
    );
  }

  /** Resolves when it serves. */
  static async start(environment: Environment = {}, cwd?: string): Promise<ServerProcess> {
    const server = ServerProcess.spawn(environment, [], cwd);
    await server.serving();
    return server;
  }

  /** What it wrote, and how it ended, of one that ends by itself. */
  static async run(environment: Environment, args: readonly string[] = [], cwd?: string): Promise<Exit & ServerOutput> {
    const server = ServerProcess.spawn(environment, args, cwd);
    const exit = await within(server.exited, 'the end of the server');
    return { ...exit, stdout: server.stdout, stderr: server.stderr };
  }

  async serving(): Promise<void> {
    await this.logged(({ msg }) => msg === 'serving', 'serving');
  }

  /** Where it serves. */
  get url(): string {
    return String(this.log.find(({ msg }) => msg === 'serving')!.url);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals, ms = PATIENCE_MS): Promise<Exit> {
    this.signal(signal);
    return within(this.exited, `the end after ${signal}`, ms);
  }

  /** The first line that fits, already written or to come. */
  async logged(fits: (line: LogLine) => boolean, what: string, ms = PATIENCE_MS): Promise<LogLine> {
    let stop: (() => void) | undefined;
    const found = new Promise<LogLine>((resolve, reject) => {
      const look = () => {
        const line = this.log.find(fits);
        if (line) resolve(line);
        else if (this.child.exitCode !== null || this.child.signalCode !== null) {
          reject(new Error(`the server ended before it logged "${what}":\n${this.stdout}${this.stderr}`));
        }
      };
      this.readers.add(look);
      stop = () => this.readers.delete(look);
      look();
    });
    return within(found, `"${what}" in the log`, ms).finally(() => stop?.());
  }

  private read(text: string): void {
    this.stdout += text;
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const fields = JSON.parse(line) as LogLine & { time: string };
      this.log.push({ ...fields, at: Date.parse(fields.time) });
    }
    this.tellReaders();
  }

  private tellReaders(): void {
    for (const reader of this.readers) reader();
  }
}

export interface ServerOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** How a service answers `GET /health`. */
export interface HealthAnswer {
  readonly status?: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  /** Paths of which requests stay without an answer. */
  readonly never?: readonly string[];
}

/** A small HTTP service as a process of its own, with a health that can be told. */
export class ServiceProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** On a free port, or on one that is known, to come back where it was. */
  static async start(port = 0): Promise<ServiceProcess> {
    const child = fork(join(import.meta.dirname, 'service.mjs'), [String(port)], { execArgv: [], env: {} });
    children.add(child);
    const [message] = (await within(once(child, 'message'), 'the start of a service')) as [{ port: number }];
    return new ServiceProcess(child, message.port);
  }

  /** Resolves when it answers like that. */
  async answer(answer: HealthAnswer): Promise<void> {
    await this.ask({ answer });
  }

  /** How many probes have come so far. */
  async probes(): Promise<number> {
    return (await this.ask({})).probes;
  }

  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  private async ask(message: { answer?: HealthAnswer }): Promise<{ probes: number }> {
    const told = once(this.child, 'message');
    this.child.send(message);
    const [reply] = (await within(told, 'a word of the service')) as [{ probes: number }];
    return reply;
  }
}
