import { spawnSync } from 'node:child_process';

const TRY = ['sh', '-c', 'mount -t tmpfs none /mnt'];

/**
 * Whether this machine lets a process mount something of its own. Some containers do not, whatever is installed: what
 * is left out there is named, and is no failure even where nothing else may be left out.
 */
export function mayMount(...how: readonly string[]): boolean {
  const may = spawnSync('unshare', ['--mount', ...how, ...TRY]).status === 0;
  if (!may) console.warn('NOT RUN: what mounts file systems, which this machine does not allow');
  return may;
}
