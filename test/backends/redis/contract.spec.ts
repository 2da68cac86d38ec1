import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { RegistryBackend } from '#core';
import {
  backendContract,
  configStoreContract,
  type BackendContractOptions,
  type BackendFixture,
  type Outage,
} from '#core/testing';
import { hasPrograms, shared } from '../../servers/kind.js';
import { asOperator, portOf, redis } from '../../servers/redis.js';
import type { Server } from '../../servers/server.js';
import { Proxy } from '../../support/proxy.js';
import { createBackend } from './support/redis-under-test.js';

// Only a server of our own can be put back to what it was.
const restorable = hasPrograms(redis);
let own: Server | undefined;
let address: string;
let count = 0;

beforeAll(async () => {
  if (restorable) own = await redis.start();
  address = own?.address ?? shared(redis);
}, 60_000);
afterAll(() => own?.stop());

/** Each backend reaches the one Redis by a proxy of its own; each test has a prefix of its own. */
class Fixture implements BackendFixture {
  private readonly prefix = `contract-${process.pid}-${Date.now()}-${++count}`;
  private readonly proxies = new Map<RegistryBackend, Proxy>();

  async backend(): Promise<RegistryBackend> {
    const proxy = await Proxy.to(portOf({ address }));
    const backend = await createBackend({
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      REGISTRY_PREFIX: this.prefix,
    });
    this.proxies.set(backend, proxy);
    return backend;
  }

  async outage(of: RegistryBackend, how: Outage, meanwhile: () => Promise<void>): Promise<void> {
    if (how === 'rewound') {
      await this.rewound(meanwhile);
      return;
    }
    const proxy = this.proxies.get(of)!;
    if (how === 'frozen') proxy.freeze();
    else await proxy.cut();
    try {
      await meanwhile();
      if (how === 'forgotten') {
        await asOperator({ address }, (client) => client.xtrim(`{${this.prefix}}:changes`, 'MAXLEN', 0));
      }
    } finally {
      await proxy.mend();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.close()));
  }

  /** A backup, and back to it. */
  private async rewound(meanwhile: () => Promise<void>): Promise<void> {
    const server = own!;
    const [, folder = ''] = await asOperator({ address }, (client) => client.config('GET', 'dir'));
    const [data, backup] = [join(folder, 'appendonlydir'), join(folder, 'backup')];
    await cp(data, backup, { recursive: true });
    try {
      await meanwhile();
    } finally {
      await server.kill();
      await rm(data, { recursive: true });
      await cp(backup, data, { recursive: true });
      await rm(backup, { recursive: true });
      await server.restart();
    }
  }
}

const options: BackendContractOptions = {
  name: 'redis',
  // A shorter one may run out before a connection that was cut is there again.
  shortestTtl: 2_000,
  replicas: true,
  outages: ['cut', 'frozen', 'forgotten', ...(restorable ? (['rewound'] as const) : [])],
  open: async () => new Fixture(),
};

backendContract(options);
configStoreContract(options);
