import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';
/** Several servers at a time, of which etcd sets aside 128 MB each. */
const ROOM_BYTES = 4 * 2 ** 30;

/**
 * For a server's data: in memory where there is room, as on most Linux machines. Servers are killed here, never their
 * host; and a disk that something else keeps busy for seconds would be an outage that no test has asked for.
 */
export async function dataFolder(name: string): Promise<string> {
  const parent = (await roomIn(IN_MEMORY)) >= ROOM_BYTES ? IN_MEMORY : tmpdir();
  return mkdtemp(join(parent, `service-discovery-${name}-`));
}

async function roomIn(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
