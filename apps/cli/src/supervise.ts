import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { DiscoveryClient, Registration, RegistrationRequest } from '#client';

/** What `env`, `nohup` and `timeout` end with: they themselves failed; the command cannot be run; there is none. */
const FAILED = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const REFUSED = 'refused';

/** Which ask a process to end. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
const OTHERS = ['SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

export interface Supervision {
  readonly client: DiscoveryClient;
  readonly request: RegistrationRequest;
  /** Between leaving rotation and passing on the signal to end. */
  readonly drainMs: number;
  readonly say: (text: string) => void;
}

/**
 * Runs a command, registered for as long as it lives. Told to end, it is deregistered first, then told so.
 * @returns The exit code of the command, as a shell has it.
 */
export async function supervise([file, ...args]: readonly string[], work: Supervision): Promise<number> {
  const { client, request, drainMs, say } = work;
  // A group of its own: the terminal's Ctrl-C is ours to pass on, when nobody calls it any more.
  const child = spawn(file!, args, { stdio: 'inherit', detached: true });
  const ended = endOf(child, say);
  const over = new AbortController();
  const hurry = new AbortController();
  let leaving: Promise<void> | undefined;

  const registered = register().catch((error: unknown) => {
    if (over.signal.aborted) return undefined;
    over.abort(REFUSED);
    say(`cannot register it: ${(error as Error).message}`);
    tell(child, 'SIGTERM');
    return undefined;
  });
  const stop = (signal: NodeJS.Signals) => {
    // Told again: callers are not waited for any longer.
    if (leaving) hurry.abort();
    leaving ??= leave();
    void leaving.then(() => tell(child, signal));
  };
  const pass = (signal: NodeJS.Signals) => tell(child, signal);
  for (const signal of ENDING) process.on(signal, stop);
  for (const signal of OTHERS) process.on(signal, pass);
  try {
    const code = await ended;
    over.abort();
    hurry.abort();
    await Promise.all([registered, leaving]);
    await client.close();
    return over.signal.reason === REFUSED ? FAILED : code;
  } finally {
    for (const signal of ENDING) process.off(signal, stop);
    for (const signal of OTHERS) process.off(signal, pass);
  }

  async function register(): Promise<Registration> {
    const registration = await client.register(request, over.signal);
    const { serviceName, serviceId } = registration.instance;
    say(`registered as ${serviceName} ${serviceId}`);
    return registration;
  }

  async function leave(): Promise<void> {
    over.abort();
    const registration = await registered;
    if (!registration) return;
    await registration.leave({ drainMs, signal: hurry.signal });
    say('deregistered');
  }
}

function endOf(child: ChildProcess, say: (text: string) => void): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      say(`cannot run it: ${error.message}`);
      resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** It and whatever it has started. */
function tell({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // They have ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
