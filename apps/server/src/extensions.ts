import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { AuthenticationModule, BackendModule, ProbeModule, StrategyModule } from '#core';
import type { DialectModule } from './api/dialects/index.js';
import type { Seams } from './seams.js';

const options = z.custom<z.ZodObject>((value) => value instanceof z.ZodObject || isForeignObjectSchema(value), {
  error: 'must be a zod object schema',
});
const made = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', {
  error: 'must be a function',
});

/** The default export of a package that adds to a seam. Every list is optional. */
const extension = z.strictObject({
  backends: z.array(z.looseObject({ type: z.string().min(1), summary: z.string(), options, create: made })).default([]),
  strategies: z.array(z.looseObject({ name: z.string().min(1), summary: z.string(), create: made })).default([]),
  dialects: z
    .array(
      z.looseObject({
        name: z.string().min(1),
        summary: z.string(),
        root: z.string().regex(/^\/[^/].*$/, 'must begin with a slash'),
        controllers: z.array(made).min(1),
      }),
    )
    .default([]),
  probes: z
    .array(z.looseObject({ type: z.string().min(1), summary: z.string(), options, create: made.optional() }))
    .default([]),
  schemes: z
    .array(z.looseObject({ name: z.string().min(1), summary: z.string(), options, enabled: made, create: made }))
    .default([]),
});

/** What a package outside this repository exports by default to add to a seam. */
export interface Extension {
  readonly backends?: readonly BackendModule[];
  readonly strategies?: readonly StrategyModule[];
  readonly probes?: readonly ProbeModule[];
  readonly dialects?: readonly DialectModule[];
  readonly schemes?: readonly AuthenticationModule[];
}

/**
 * The seams with what the named packages add. A package is looked for from the working directory, as
 * Node looks for any import there.
 * @throws Error that names the package and what is wrong with it: not found, failing, not an
 * extension, or of a name that is taken.
 */
export async function extend(builtIn: Seams, packages: readonly string[], from = process.cwd()): Promise<Seams> {
  if (packages.length > 0) offerOurs();
  let seams = builtIn;
  for (const name of packages) seams = merge(seams, await load(name, from), name);
  return seams;
}

/**
 * Lets extensions import `service-discovery/core` and `service-discovery/server` wherever they are installed,
 * and get the very modules that this server uses: an error of theirs is then an instance of our class.
 */
let offered = false;
function offerOurs(): void {
  if (offered) return;
  offered = true;
  const ours = {
    'service-discovery/core': import.meta.resolve('#core'),
    'service-discovery/server': import.meta.resolve('#server'),
  };
  const hook = `const ours = new Map(Object.entries(${JSON.stringify(ours)}));
    export const resolve = (specifier, context, next) =>
      ours.has(specifier) ? { url: ours.get(specifier), shortCircuit: true } : next(specifier, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

async function load(name: string, from: string): Promise<Required<Extension>> {
  let exported: unknown;
  try {
    const { resolve } = await import('import-meta-resolve');
    const url = resolve(name, pathToFileURL(join(from, 'package.json')).href);
    exported = ((await import(url)) as { default?: unknown }).default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`EXTENSIONS: ${name} cannot be loaded: ${reason}`, { cause });
  }
  const parsed = extension.safeParse(exported);
  if (parsed.success) return parsed.data as unknown as Required<Extension>;
  throw new Error(`EXTENSIONS: the default export of ${name} is no extension: ${z.prettifyError(parsed.error)}`);
}

function merge(seams: Seams, added: Required<Extension>, origin: string): Seams {
  return {
    backends: withoutClash(seams.backends, added.backends, ({ type }) => type, origin),
    strategies: withoutClash(seams.strategies, added.strategies, ({ name }) => name, origin),
    probes: withoutClash(seams.probes, added.probes, ({ type }) => type, origin),
    dialects: withoutClash(seams.dialects, added.dialects, ({ name }) => name, origin),
    schemes: withoutClash(seams.schemes, added.schemes, ({ name }) => name, origin),
  };
}

function withoutClash<T>(
  known: readonly T[],
  added: readonly T[],
  nameOf: (item: T) => string,
  origin: string,
): readonly T[] {
  const taken = new Set(known.map(nameOf));
  for (const name of added.map(nameOf)) {
    if (taken.has(name)) throw new Error(`EXTENSIONS: ${origin} brings ${name}, but that name is taken`);
    taken.add(name);
  }
  return [...known, ...added];
}

/** An extension may bring a zod of its own, whose classes are not ours. */
function isForeignObjectSchema(value: unknown): boolean {
  const schema = value as { shape?: unknown; safeParse?: unknown } | null;
  return typeof schema === 'object' && typeof schema?.shape === 'object' && typeof schema.safeParse === 'function';
}
