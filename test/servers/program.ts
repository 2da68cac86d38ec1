import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that servers are started from. */
export interface Program {
  /** Of the executable. */
  readonly name: string;
  /** What exactly is had, or must be. */
  readonly version: string;
  /** The executable, when it is there. */
  find(): string | undefined;
  /** Puts it into the cache. Idempotent. */
  prepare(report: (line: string) => void): Promise<void>;
}

/** @throws Error that says how to have it, when it is not there. */
export function executable(program: Program): string {
  const found = program.find();
  if (found === undefined) throw new Error(`${program.name} ${program.version} is not there: run npm run servers`);
  return found;
}

/** Where PATH has it. */
export function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
