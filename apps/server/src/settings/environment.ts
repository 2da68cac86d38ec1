import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { ALIASES, aliasesOf } from './aliases.js';
import { fieldInfo } from './field-info.js';
import { shown, type SettingsProblem } from './problems.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Kubernetes gives a pod `NAME_PORT=tcp://10.0.0.1:8090` for every Service called `name`. */
export function isInjectedPort(environment: Environment, name: string): boolean {
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(environment[name] ?? '');
}

/** What the operator has written; an empty value and one of Kubernetes' count as none. */
export function textOf(environment: Environment, name: string): string | undefined {
  const text = environment[name];
  return text === undefined || text === '' || isInjectedPort(environment, name) ? undefined : text;
}

export interface Written {
  /** The variable itself or an alias of it. */
  readonly as: string;
  readonly raw: string;
  /** What it means for the variable itself. */
  readonly text: string;
}

/** What is written for a variable under all its names, or why that cannot be told. */
export function writtenFor(
  environment: Environment,
  name: string,
  field: z.ZodType,
): { readonly written?: Written; readonly problem?: SettingsProblem } {
  const { secret } = fieldInfo(field);
  let first: Written | undefined;
  for (const as of [name, ...aliasesOf(name)]) {
    const raw = textOf(environment, as);
    if (raw === undefined) continue;
    const text = meaning(as, raw);
    if (text === undefined) return { problem: { variable: as, value: shown(raw, secret), message: allowedFor(as) } };
    if (first && !sameMeaning(field, first.text, text)) {
      const message = `contradicts ${as}=${shown(raw, secret)}: both stand for ${name}; unset one`;
      return { problem: { variable: first.as, value: shown(first.raw, secret), message } };
    }
    first ??= { as, raw, text };
  }
  return first ? { written: first } : {};
}

function meaning(as: string, raw: string): string | undefined {
  const values = ALIASES[as]?.values;
  return values ? new Map(Object.entries(values)).get(raw.trim()) : raw;
}

function allowedFor(alias: string): string {
  return `must be one of ${Object.keys(ALIASES[alias]!.values!).join(', ')}`;
}

/** `30` and `30s` are the same. */
function sameMeaning(field: z.ZodType, a: string, b: string): boolean {
  const [one, other] = [field.safeParse(a), field.safeParse(b)];
  return one.success && other.success ? isDeepStrictEqual(one.data, other.data) : a === b;
}
