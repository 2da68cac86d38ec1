import type { z } from 'zod';
import { writtenFor, type Environment, type Written } from './environment.js';
import { fieldInfo } from './field-info.js';
import { shown, type SettingsProblem } from './problems.js';

export interface ResolvedVariable {
  readonly name: string;
  /** The text that counts; masked when it is a secret, undefined when nothing gives it a value. */
  readonly value?: string;
  /** `environment`, `alias NAME`, `profile NAME` or `default`. */
  readonly source: string;
  /** Under which name the operator has written what, masked too; absent: a default, and ours to change. */
  readonly written?: { readonly as: string; readonly value: string };
}

export interface Resolution {
  /** Of the variables that have a good value, and of those only. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly variables: readonly ResolvedVariable[];
  readonly problems: readonly SettingsProblem[];
}

export interface ProfileChoice {
  readonly name: string;
  readonly defaults: Readonly<Partial<Record<string, string>>>;
}

/** Reads each variable by itself, so that one bad value hides no other. */
export function resolve(
  shape: Readonly<Record<string, z.ZodType>>,
  environment: Environment,
  profile: ProfileChoice,
): Resolution {
  const values: Record<string, unknown> = {};
  const variables: ResolvedVariable[] = [];
  const problems: SettingsProblem[] = [];
  for (const [name, field] of Object.entries(shape)) {
    const { written, problem } = writtenFor(environment, name, field);
    if (problem) {
      problems.push(problem);
      continue;
    }
    const variable = locate(name, field, written, profile);
    variables.push(variable);
    const parsed = field.safeParse(written?.text ?? profile.defaults[name]);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(...parsed.error.issues.map(({ message }) => complaint(variable, message)));
  }
  return { values, variables, problems };
}

/** Where a variable has its value from. */
export function locate(
  name: string,
  field: z.core.$ZodType,
  written: Written | undefined,
  profile: ProfileChoice,
): ResolvedVariable {
  const { secret, fallback } = fieldInfo(field);
  if (written) {
    const source = written.as === name ? 'environment' : `alias ${written.as}`;
    const { as, raw, text } = written;
    return { name, value: shown(text, secret), source, written: { as, value: shown(raw, secret) } };
  }
  const ofProfile = profile.defaults[name];
  if (ofProfile !== undefined) return { name, value: shown(ofProfile, secret), source: `profile ${profile.name}` };
  return { name, ...(fallback !== undefined && { value: shown(fallback, secret) }), source: 'default' };
}

export function complaint({ name, value, source, written }: ResolvedVariable, message: string): SettingsProblem {
  if (value === undefined) return { variable: name, message: `is not set and has no default here: ${message}` };
  if (!written) return { variable: name, value, message: `(${source}) ${message}` };
  const { as } = written;
  return { variable: as, value: written.value, message: as === name ? message : `(${name}=${value}) ${message}` };
}
