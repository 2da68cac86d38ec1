import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A variable that names a file. */
export function pemFile(what: string) {
  return z
    .string()
    .optional()
    .meta({ description: `file in PEM: ${what}` });
}

/** @throws Error that names the variable and the file. */
export async function readPem(variable: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${variable}=${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
