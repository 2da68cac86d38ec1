import type { z } from 'zod';
import { textOf, type Environment } from './environment.js';
import { complaint, locate, type ProfileChoice, type ResolvedVariable } from './resolve.js';
import type { SettingsProblem } from './problems.js';

export interface ModuleOptions {
  /** What the module's schema has made of them; empty when there are problems. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly variables: readonly ResolvedVariable[];
  readonly problems: readonly SettingsProblem[];
}

/**
 * Reads the variables of a backend or a scheme, all together: its schema may have rules among them.
 *
 * @param chosenBy What is complained about when none of them is by itself to blame.
 */
export function readModuleOptions(
  schema: z.ZodObject,
  environment: Environment,
  profile: ProfileChoice,
  chosenBy: Omit<SettingsProblem, 'message'>,
): ModuleOptions {
  const texts: Record<string, string> = {};
  const variables = Object.entries<z.core.$ZodType>(schema.shape).map(([name, field]) => {
    const text = textOf(environment, name);
    if (text !== undefined) texts[name] = text;
    return locate(name, field, text === undefined ? undefined : { as: name, raw: text, text }, profile);
  });
  const parsed = schema.safeParse(texts);
  if (parsed.success) return { options: parsed.data, variables, problems: [] };
  const problems = parsed.error.issues.map(({ path, message }): SettingsProblem => {
    const variable = variables.find(({ name }) => name === path[0]);
    return variable ? complaint(variable, message) : { ...chosenBy, message };
  });
  return { options: {}, variables, problems };
}
