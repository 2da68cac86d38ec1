import { Redis } from 'ioredis';
import { redis } from '../../servers/redis.js';
import { serverContract } from '../../servers/server-contract.js';

// The end of a connection would otherwise wait for a suspended server.
const OPTIONS = { commandTimeout: 1_000, disconnectTimeout: 10, retryStrategy: () => null, lazyConnect: true };

/** Over a connection of its own. */
async function withClient<T>(address: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(address, OPTIONS);
  // What is asked meanwhile says it too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

serverContract(redis, {
  write: (address, key, value) =>
    withClient(address, async (client) => {
      await client.set(key, value);
    }),
  read: (address, key) => withClient(address, async (client) => (await client.get(key)) ?? ''),
});
