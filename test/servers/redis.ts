import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { debianProgram } from './debian-program.js';
import type { ServerKind } from './kind.js';
import { freePort } from './ports.js';
import { executable } from './program.js';
import { Server, type Launch } from './server.js';

export const program = debianProgram('redis-server', 7, 'redis-server');

/** Options of redis.conf by name. */
export type RedisConfig = Readonly<Record<string, string>>;

/** Every write is on disk before it is acknowledged, so that a kill loses nothing. */
export const DURABLE: RedisConfig = { appendonly: 'yes', appendfsync: 'always' };
/** A kill loses everything. */
export const FORGETFUL: RedisConfig = { appendonly: 'no', save: '' };

export const redis = {
  name: 'redis',
  variable: 'TEST_REDIS_URL',
  programs: [program],
  start: () => startRedis(DURABLE),
} satisfies ServerKind;

export function startRedis(config: RedisConfig): Promise<Server> {
  return Server.start('redis', async (folder) => {
    const port = await freePort();
    return launch(folder, port, { port: `${port}`, ...config });
  });
}

/** Its only port has TLS. */
export function startRedisWithTls(config: RedisConfig): Promise<Server> {
  return Server.start('redis', async (folder) => {
    const port = await freePort();
    const { address, ...plain } = launch(folder, port, { port: '0', 'tls-port': `${port}`, ...config });
    return { ...plain, address: address.replace('redis:', 'rediss:'), ready: () => listens(port) };
  });
}

export function launch(folder: string, port: number, config: RedisConfig): Launch {
  const options = { bind: '127.0.0.1', dir: folder, ...config };
  return {
    program: executable(program),
    args: Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    address: `redis://127.0.0.1:${port}`,
    ready: () => answers(port),
  };
}

export function portOf({ address }: Pick<Server, 'address'>): number {
  return Number(new URL(address).port);
}

/** What somebody does with redis-cli. */
export async function asOperator<T>(
  { address }: Pick<Server, 'address'>,
  work: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis(address, { lazyConnect: true, retryStrategy: () => null });
  // Of what goes wrong meanwhile, what was asked tells.
  client.on('error', () => undefined);
  const ended = new Promise((resolve) => client.once('end', resolve));
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
    await ended;
  }
}

/** A refusal for want of a password is an answer. */
async function answers(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    if (!/^(\+PONG|-NOAUTH)/.test(answer.toString())) throw new Error(`PING: ${answer.toString()}`);
  } finally {
    socket.destroy();
  }
}

async function listens(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(1_000) });
  } finally {
    socket.destroy();
  }
}
