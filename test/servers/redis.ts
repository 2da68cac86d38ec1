import { once } from 'node:events';
import { connect } from 'node:net';
import { debianProgram } from './debian-program.js';
import type { ServerKind } from './kind.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server } from './server.js';

const program = debianProgram('redis-server', 7, 'redis-server');

export const redis = {
  name: 'redis',
  variable: 'TEST_REDIS_URL',
  programs: [program],
  start: () =>
    Server.start('redis', async (folder) => {
      const port = await freePort();
      return {
        program: executable(program),
        // Every write is on disk before it is acknowledged, so that a kill loses nothing.
        args: [
          '--port',
          `${port}`,
          '--bind',
          '127.0.0.1',
          '--dir',
          folder,
          '--appendonly',
          'yes',
          '--appendfsync',
          'always',
        ],
        address: `redis://127.0.0.1:${port}`,
        ready: () => ping(port),
      };
    }),
} satisfies ServerKind;

async function ping(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    if (!answer.toString().startsWith('+PONG')) throw new Error(`PING: ${answer.toString()}`);
  } finally {
    socket.destroy();
  }
}
