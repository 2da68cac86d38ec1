import { TTL, value, type RawRegistry } from './raw-client.js';

export const etcd: RawRegistry = {
  type: 'etcd',
  environment: (address) => ({ ETCD_HOSTS: address }),
  operations: { register: 'a lease is granted and a key put with it', heartbeat: 'the lease is kept alive' },
  connect: async (address) => {
    const { Etcd3 } = await import('etcd3');
    const client = new Etcd3({ hosts: address });
    const leases: string[] = [];
    // Answers come in the order of the questions.
    const waiting: (() => void)[] = [];
    const keepAlives = await client.leaseClient.leaseKeepAlive();
    keepAlives.on('data', () => waiting.shift()?.());
    return {
      register: async (n) => {
        const { ID } = await client.leaseClient.leaseGrant({ TTL });
        leases.push(ID);
        await client.kv.put({ key: Buffer.from(`/raw/${n}`), value: Buffer.from(value(n)), lease: ID });
      },
      heartbeat: (n) =>
        new Promise((resolve) => {
          waiting.push(resolve);
          keepAlives.write({ ID: leases[n % leases.length]! });
        }),
      close: async () => {
        keepAlives.end();
        client.close();
        return Promise.resolve();
      },
    };
  },
};
