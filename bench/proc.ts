import { readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';

// What Linux knows of a process, and no other system tells in this way: undefined there.

function read(child: ChildProcess, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Seconds until now in which its main thread was ready to run and had no core. */
export function secondsWithoutCore(child: ChildProcess): number | undefined {
  const nanoseconds = read(child, 'schedstat')?.split(' ')[1];
  return nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e9;
}

/** Linux counts in hundredths of a second here, whatever its timer does. */
const TICKS = 100;

/** Seconds of processor time until now, of all its threads. */
export function cpuSeconds(child: ChildProcess): number | undefined {
  // Its name, in brackets, may hold blanks.
  const fields = read(child, 'stat')?.split(') ')[1]?.split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Bytes resident: of files that are mapped, and of what is its own. */
export function residentParts(child: ChildProcess): { readonly files: number; readonly own: number } | undefined {
  const status = read(child, 'status');
  if (status === undefined) return undefined;
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024;
  return { files: bytes('RssFile'), own: bytes('RssAnon') };
}
