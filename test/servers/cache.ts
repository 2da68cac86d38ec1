import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// What was built stays outside the tree, for every clone: one folder a program and version.

export function cached(key: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'service-discovery', key);
}

/**
 * Has `make` fill a folder that becomes `cached(key)` when it is complete. Of several processes that
 * want the same one, one makes it and the others wait.
 */
export async function fillCache(
  key: string,
  make: (folder: string) => Promise<void>,
  report: (line: string) => void = () => undefined,
): Promise<void> {
  const folder = cached(key);
  const lock = `${folder}.lock`;
  await mkdir(cached(''), { recursive: true });
  for (let turn = 0; !existsSync(folder); turn++) {
    if (await take(lock)) await makeLocked(folder, make).finally(() => rm(lock));
    else {
      if (turn === 1) report(`waiting for the process that prepares it, named in ${lock}`);
      await sleep(500);
    }
  }
}

async function makeLocked(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  // The one before may have finished while the lock was taken.
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  try {
    await make(unfinished);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** False while another process that lives has it. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner > 0 && !isRunning(owner)) await rm(lock, { force: true });
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
