import { afterAll, beforeAll } from '@jest/globals';
import { keyText, type InstanceKey, type RegistryBackend } from '#core';
import {
  backendContract,
  configStoreContract,
  type BackendContractOptions,
  type BackendFixture,
  type Outage,
} from '#core/testing';
import { consul } from '../../servers/consul.js';
import { hasPrograms, shared } from '../../servers/kind.js';
import type { Server } from '../../servers/server.js';
import { Proxy } from '../../support/proxy.js';
import { createBackend, operate, START_MS } from './support/consul-under-test.js';

/** To put back the state of one that others share would not do. */
const own = hasPrograms(consul);
let server: Pick<Server, 'address'>;
let count = 0;

if (own) {
  let started: Server;
  beforeAll(async () => {
    server = started = await consul.start();
  }, START_MS);
  afterAll(() => started.stop());
} else {
  beforeAll(() => {
    server = { address: shared(consul) };
  });
}

function proxyToServer(): Promise<Proxy> {
  return Proxy.to(Number(new URL(server.address).port));
}

/** Each backend reaches the one Consul by a proxy of its own; what a test leaves behind is cleared. */
class Fixture implements BackendFixture {
  private readonly name = `contract-${++count}`;
  private readonly proxies = new Map<RegistryBackend, Proxy>();

  readonly foreign = {
    remove: (key: InstanceKey) => this.operate('DELETE', `kv/${this.name}/instances/${keyText(key)}`),
    write: (key: InstanceKey, value: string) => this.operate('PUT', `kv/${this.name}/instances/${keyText(key)}`, value),
  };

  /** @param proxy The way of the first backend. */
  constructor(private proxy: Proxy | undefined) {}

  async backend(): Promise<RegistryBackend> {
    const proxy = this.proxy ?? (await proxyToServer());
    this.proxy = undefined;
    const backend = await createBackend({ CONSUL_PORT: String(proxy.port), REGISTRY_PREFIX: this.name });
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
    } finally {
      await proxy.mend();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.close()));
    await this.operate('DELETE', `kv/${this.name}/?recurse`);
    for (let i = 0; i < 16; i++) {
      await this.operate('PUT', 'catalog/deregister', { Node: `${this.name}-${String(i).padStart(2, '0')}` });
    }
  }

  /** A backup, and back to it. */
  private async rewound(meanwhile: () => Promise<void>): Promise<void> {
    const backup = await (await fetch(`${server.address}/v1/snapshot`)).arrayBuffer();
    await meanwhile();
    await this.operate('PUT', 'snapshot', new Uint8Array(backup));
  }

  private async operate(method: string, path: string, body?: unknown): Promise<void> {
    await operate(server, method, path, body);
  }
}

const options: BackendContractOptions = {
  name: 'consul',
  replicas: true,
  foreign: true,
  outages: own ? ['cut', 'frozen', 'rewound'] : ['cut', 'frozen'],
  shortestTtl: 2_000,
  open: async () => new Fixture(await proxyToServer()),
};

backendContract(options);
configStoreContract(options);
