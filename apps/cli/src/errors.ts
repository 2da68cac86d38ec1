import { CommanderError } from 'commander';
import { OutcomeUnknownError, RefusedError, ServersUnavailableError } from '#client';
import { visible } from './output/text.js';

/** What scripts can tell apart; docs/sdctl.md has the table. */
export const EXIT = {
  ok: 0,
  usage: 1,
  notFound: 2,
  refused: 3,
  conflict: 4,
  unreachable: 5,
  findings: 6,
  /** As EX_SOFTWARE of sysexits.h: a mistake of this command's own. */
  bug: 70,
} as const;

/** Something that the caller can mend. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
    readonly exitCode: number = EXIT.usage,
  ) {
    super(message);
  }
}

/** Tells on standard error what went wrong and what to do, and returns what the process ends with. */
export function exitCodeFor(error: unknown): number {
  // Commander has told it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { message, hint, exitCode } = explained(error);
  console.error(visible(`sdctl: ${message}`));
  if (hint !== undefined) console.error(visible(`       ${hint}`));
  return exitCode;
}

export function explained(error: unknown): { message: string; hint?: string; exitCode: number } {
  if (error instanceof CommandError) return error;
  if (error instanceof ServersUnavailableError) {
    const refusals = error.causes.filter((each) => each instanceof RefusedError);
    if (refusals.length === error.causes.length)
      return {
        message: `cannot be done now: ${refusals[0]!.message}`,
        hint: 'Try again later; `sdctl doctor` says what is wrong.',
        exitCode: EXIT.unreachable,
      };
    return {
      message: error.message,
      hint: 'Start a server, or name another one by --server, SERVICE_DISCOVERY_URL or a profile; `sdctl doctor` looks closer.',
      exitCode: EXIT.unreachable,
    };
  }
  if (error instanceof OutcomeUnknownError)
    return { message: error.message, hint: 'Look whether it was before you try again.', exitCode: EXIT.unreachable };
  if (error instanceof RefusedError) return { message: error.message, ...refusal(error.status) };
  if (error instanceof Error) return { message: error.stack ?? error.message, exitCode: EXIT.bug };
  return { message: String(error), exitCode: EXIT.bug };
}

function refusal(status: number): { hint?: string; exitCode: number } {
  switch (status) {
    case 401:
      return {
        hint: 'Bring a credential: SERVICE_DISCOVERY_TOKEN, or `token` or `token_file` of a profile.',
        exitCode: EXIT.refused,
      };
    case 403:
      return { hint: 'This takes a credential with more rights: see docs/security.md.', exitCode: EXIT.refused };
    case 501:
      return { hint: '`sdctl capabilities` says what the registry can do.', exitCode: EXIT.refused };
    case 404:
      return { exitCode: EXIT.notFound };
    case 409:
    case 412:
      return { exitCode: EXIT.conflict };
    default:
      return { exitCode: EXIT.usage };
  }
}
