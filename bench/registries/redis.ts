import { TTL, value, type RawRegistry } from './raw-client.js';

export const redis: RawRegistry = {
  type: 'redis',
  environment: (address) => ({ REDIS_URL: address }),
  operations: {
    register: 'MULTI: SET with a time to live, and XADD to tell of it',
    heartbeat: 'PEXPIRE',
  },
  connect: async (address) => {
    const { Redis } = await import('ioredis');
    const client = new Redis(address);
    return {
      register: async (n) => {
        const [key, text] = [`raw:${n}`, value(n)];
        await client
          .multi()
          .set(key, text, 'EX', TTL)
          .xadd('raw:changes', 'MAXLEN', '~', 10_000, '*', 'key', key, 'value', text)
          .exec();
      },
      heartbeat: async (n) => {
        await client.pexpire(`raw:${n}`, TTL * 1_000);
      },
      close: async () => {
        await client.quit();
      },
    };
  },
};
