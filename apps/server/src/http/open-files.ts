import { readFileSync } from 'node:fs';
import type { Settings } from '../settings/index.js';

/** Connections where nothing is said of them: what MAX_WAITERS usually allows, and some more. */
const USUAL = 25_000;
/** Of the files that may be open, so many are for checks, the registry, replicas and files. */
const SPARE_SHARE = 0.25;
const SPARE_MOST = 2_500;

/** How many connections may be open, and what the operator should know of that. */
export interface ConnectionLimit {
  readonly max: number;
  readonly warning?: string;
}

/**
 * Each connection is an open file. Of those that are too many for the process the kernel would let go too, but then
 * there would be none left to reach the registry either.
 *
 * @param files How many files may be open.
 */
export function connectionLimit(
  { maxConnections, maxWaiters }: Pick<Settings['server'], 'maxConnections' | 'maxWaiters'>,
  files = openFiles(),
): ConnectionLimit {
  const room = files - Math.min(Math.ceil(files * SPARE_SHARE), SPARE_MOST);
  const [name, wanted] =
    maxConnections === undefined ? ['MAX_WAITERS', maxWaiters] : ['MAX_CONNECTIONS', maxConnections];
  const max = Math.min(maxConnections ?? USUAL, room);
  if (room >= wanted) return { max };
  return { max, warning: `${files} files may be open (ulimit -n): that is ${room} connections, ${name}=${wanted}` };
}

/** As the kernel has it; Node has raised the soft limit to the hard one. */
function openFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    // Not on Linux.
    return Infinity;
  }
}
