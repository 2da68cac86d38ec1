import { once } from 'node:events';
import { createServer } from 'node:net';

// Below what systems hand out by themselves (from 32768 on), so that nobody's outgoing connection takes
// the port of a server that is being started again.
const FIRST = 20_000;
const COUNT = 10_000;

/** A port on loopback that nobody listens on. Another may be faster: who starts a server there tries again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
