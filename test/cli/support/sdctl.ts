import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { serverProgram } from '../../support/build.js';

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Environment = Readonly<Record<string, string>>;

/** The command as it is built and shipped. */
export function sdctlProgram(): string {
  // Built by the same command, before it.
  return join(dirname(serverProgram()), '../sdctl/sdctl.js');
}

/** `sdctl` in front of one server, in a pipe or in a terminal, with nothing of the environment of whoever runs the tests. */
export class Sdctl {
  constructor(
    readonly url: string,
    private readonly environment: Environment = {},
  ) {}

  with(environment: Environment): Sdctl {
    return new Sdctl(this.url, { ...this.environment, ...environment });
  }

  spawn(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [sdctlProgram(), ...args], { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async run(args: readonly string[], input = ''): Promise<Result> {
    const child = this.spawn(args);
    child.stdin!.end(input);
    return resultOf(child);
  }

  /** In a real one, so many columns wide: what is written to either output comes together. */
  spawnInTerminal(columns: number, args: readonly string[]): ChildProcess {
    const script = join(import.meta.dirname, 'terminal.py');
    const command = [script, String(columns), process.execPath, sdctlProgram(), ...args];
    return spawn('python3', ['-B', ...command], { env: { TERM: 'xterm', ...this.env }, stdio: 'pipe' });
  }

  async inTerminal(columns: number, args: readonly string[]): Promise<Result> {
    const child = this.spawnInTerminal(columns, args);
    child.stdin!.end();
    return resultOf(child);
  }

  private get env(): Environment {
    const { PATH = '' } = process.env;
    return { PATH, HOME: '/nonexistent', SERVICE_DISCOVERY_URL: this.url, ...this.environment };
  }
}

export async function resultOf(child: ChildProcess): Promise<Result> {
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout.replaceAll('\r\n', '\n'), stderr };
}
