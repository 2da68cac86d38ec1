import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Whose data it is, and in which form; the form grows only when an older release could no longer read it. */
export const FORMAT = { format: 'service-discovery', v: 1 } as const;

/** Lies in a folder of ours before anything else does. */
const MARKER = 'service-discovery.json';
/** What the file system itself puts into a new volume. */
const NOBODYS = new Set(['lost+found']);

/**
 * Makes sure that the folder is there and ours, without touching what is not.
 *
 * @throws Error that names the folder and says what to do.
 */
export async function claimFolder(dataDir: string): Promise<void> {
  const names = await prepared(dataDir);
  if (names.includes(MARKER)) {
    const text = await attempt(dataDir, () => readFile(join(dataDir, MARKER), 'utf8'));
    // An empty one is of a first start that was cut short.
    if (text !== '') {
      checkFormat(dataDir, parsed(dataDir, text));
      return;
    }
  } else {
    const foreign = names.find((name) => !NOBODYS.has(name));
    if (foreign !== undefined) {
      throw refusal(dataDir, `holds other things (${foreign}): name an empty folder, or one that does not exist yet`);
    }
  }
  await attempt(dataDir, () => writeFile(join(dataDir, MARKER), `${JSON.stringify(FORMAT)}\n`, { flush: true }));
}

/** @throws Error when data of ours are newer than this release, or not ours. */
export function checkFormat(dataDir: string, data: unknown): void {
  const { format, v } = (data ?? {}) as { format?: unknown; v?: unknown };
  if (format !== FORMAT.format) {
    throw refusal(dataDir, 'holds data of another program: name an empty folder, or one that does not exist yet');
  }
  if (typeof v === 'number' && v > FORMAT.v) throw newer(dataDir);
  if (v !== FORMAT.v) throw corrupt(dataDir, `its format is ${JSON.stringify(v)}`);
}

/** An Error of one line that an operator can act on. */
export function refusal(dataDir: string, why: string, cause?: unknown): Error {
  return new Error(`DATA_DIR=${dataDir} ${why}`, { cause });
}

export function corrupt(dataDir: string, what: string, cause?: unknown): Error {
  const advice = 'restore the folder from a backup, or move it away to start empty';
  return refusal(dataDir, `is corrupt (${what}): ${advice}`, cause);
}

export function replaced(dataDir: string, cause?: unknown): Error {
  const advice = 'put it back, or start the server anew with what is there';
  return refusal(dataDir, `was removed, moved or replaced while this server used it: ${advice}`, cause);
}

export function newer(dataDir: string, cause?: unknown): Error {
  return refusal(dataDir, 'was written by a newer release: start that one, or name another folder', cause);
}

async function prepared(dataDir: string): Promise<string[]> {
  return attempt(dataDir, async () => {
    await makeFolder(dataDir);
    return readdir(dataDir);
  });
}

/** Not `recursive`, with which Node never ends below a link that leads nowhere. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

function parsed(dataDir: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(dataDir, `${MARKER} is not readable`, cause);
  }
}

const DENIED = 'may not be written by this user: give it to the user that runs the server, or name another folder';
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'leads to a folder that is not there and cannot be made: make it, or name another folder',
  ENOTDIR: 'is not a folder, or lies below something that is none: name a folder',
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: 'lies on a read-only file system: mount it writable, or name another folder',
  ENOSPC: 'lies on a file system that is full: make room there, or name another folder',
};

async function attempt<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw refusal(
      dataDir,
      REASONS[code] ?? `cannot be used (${message}): name a folder that this user may write`,
      cause,
    );
  }
}
