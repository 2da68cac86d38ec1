/** One thing that is wrong with the environment. */
export interface SettingsProblem {
  /** The variable as the operator has named it, or would name it. */
  readonly variable: string;
  /** Its value; masked when it is a secret, undefined when it is not set. */
  readonly value?: string;
  /** What is allowed; completes "VARIABLE=value: ", or "VARIABLE " when it is not set. */
  readonly message: string;
}

/** Everything that is wrong with the environment at once: the boot stops. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly SettingsProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super([`The environment has ${count}:`, ...problems.map((problem) => `  ${sentence(problem)}`)].join('\n'));
  }
}

function sentence({ variable, value, message }: SettingsProblem): string {
  return value === undefined ? `${variable} ${message}` : `${variable}=${value}: ${message}`;
}

const LONGEST_SHOWN = 200;
const MASK = '********';

/** What is before the last "@" may hold one that was not encoded. */
const URL_PASSWORD = /(?<=:\/\/[^:/\s]*:).*(?=@)/;

/** A value as people may see it: secrets masked, on one line, not too long. */
export function shown(value: string, secret: boolean): string {
  if (secret) return MASK;
  const text = value.replace(URL_PASSWORD, MASK);
  const short = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(short) && short.trim() === short ? short : JSON.stringify(short);
}
