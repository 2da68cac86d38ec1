import type { z } from 'zod';
import type { BackendModule } from '#core';
import { textOf, type Environment } from './environment.js';
import { fieldInfo } from './field-info.js';
import { complaint, locate, type ProfileChoice, type ResolvedVariable } from './resolve.js';
import type { SettingsProblem } from './problems.js';

export interface BackendOptions {
  /** What the backend's schema has made of them; empty when there are problems. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The same but for its secrets, as one text: what is of one registry is not of another. */
  readonly identity: string;
  readonly variables: readonly ResolvedVariable[];
  readonly problems: readonly SettingsProblem[];
}

/** Reads the chosen backend's variables, all together: its schema may have rules among them. */
export function readBackendOptions(
  { type, options: schema }: BackendModule,
  environment: Environment,
  profile: ProfileChoice,
): BackendOptions {
  const texts: Record<string, string> = {};
  const variables = Object.entries<z.core.$ZodType>(schema.shape).map(([name, field]) => {
    const text = textOf(environment, name);
    if (text !== undefined) texts[name] = text;
    return locate(name, field, text === undefined ? undefined : { as: name, raw: text, text }, profile);
  });
  const parsed = schema.safeParse(texts);
  if (parsed.success) {
    const shape: Record<string, z.core.$ZodType> = schema.shape;
    const open = Object.entries(parsed.data).filter(([name]) => !fieldInfo(shape[name]!).secret);
    return {
      options: parsed.data,
      identity: JSON.stringify([type, Object.fromEntries(open)]),
      variables,
      problems: [],
    };
  }
  const problems = parsed.error.issues.map(({ path, message }): SettingsProblem => {
    const variable = variables.find(({ name }) => name === path[0]);
    return variable ? complaint(variable, message) : { variable: 'REGISTRY_TYPE', value: type, message };
  });
  return { options: {}, identity: '', variables, problems };
}
