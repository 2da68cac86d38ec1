import { spawnSync } from 'node:child_process';

const TRY = ['sh', '-c', 'mount -t tmpfs none /mnt'];

/**
 * Whether to run what mounts something of its own. Some containers allow no mounts, whatever is installed: what is left
 * out there is named. With CI set nothing is left out: what cannot run fails.
 */
export function mayMount(...how: readonly string[]): boolean {
  if (process.env.CI) return true;
  const may = spawnSync('unshare', ['--mount', ...how, ...TRY]).status === 0;
  if (!may) console.warn('NOT RUN: what mounts file systems, which this machine does not allow');
  return may;
}
