import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ScriptCommand } from '#core';

const list = z.record(
  z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be 1 to 100 characters of A–Z, a–z, 0–9, ".", "_" and "-"'),
  z.strictObject({
    command: z.string().refine(isAbsolute, 'must be an absolute path'),
    args: z.array(z.string()).default([]),
  }),
);

/**
 * The scripts that an operator lets checks run, by name.
 * @throws Error that names the file and what is wrong with it.
 */
export async function readScripts(path: string): Promise<Readonly<Record<string, ScriptCommand>>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new Error(`PROBE_SCRIPTS: ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = list.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Error(`PROBE_SCRIPTS: ${path}: ${z.prettifyError(parsed.error)}`);
}
