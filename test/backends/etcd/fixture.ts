import { randomUUID } from 'node:crypto';
import { afterEach } from '@jest/globals';
import { BACKENDS } from '#backends';
import { keyText, silentLogger, type InstanceKey, type RegistryBackend } from '#core';
import type { BackendFixture, Outage } from '#core/testing';
import type { Etcd } from '../../servers/etcd.js';
import { Proxy } from '../../support/proxy.js';
import { until } from '../../support/until.js';
import { Etcdctl } from './etcdctl.js';

const module = BACKENDS.find(({ type }) => type === 'etcd')!;
const context = { logger: silentLogger, now: Date.now, graceMs: 0 };

const CONNECTED_MS = 20_000;

export type Variables = Readonly<Record<string, string>>;

/** A backend, with these variables of the environment. */
export function backendWith(variables: Variables): Promise<RegistryBackend> {
  return module.create(module.options.parse(variables), context);
}

/** What a test starts with this is stopped after it. */
export function startedBackends(): (variables: Variables) => Promise<RegistryBackend> {
  const started: RegistryBackend[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((backend) => backend.stop()));
  });
  return async (variables) => {
    const backend = await backendWith(variables);
    started.push(backend);
    await backend.start();
    return backend;
  };
}

/** A prefix of a test's own: suites that share a server may share a process too. */
export function newPrefix(): string {
  return `/test-${randomUUID()}/`;
}

/** A registry of its own on this server, which every backend reaches by its own way. */
export class EtcdFixture implements BackendFixture {
  readonly prefix = newPrefix();
  readonly etcdctl: Etcdctl;
  readonly foreign = {
    remove: (key: InstanceKey) => this.etcdctl.delete(this.pathOf(key)),
    write: (key: InstanceKey, value: string) => this.etcdctl.put(this.pathOf(key), value),
  };
  private readonly ways = new Map<RegistryBackend, Proxy>();

  /** @param own Where the server is not shared, and may be put back. */
  constructor(
    private readonly address: string,
    private readonly own?: Etcd,
  ) {
    this.etcdctl = new Etcdctl(address);
  }

  wayOf(backend: RegistryBackend): Proxy {
    return this.ways.get(backend)!;
  }

  pathOf(key: InstanceKey): string {
    return `${this.prefix}instances/${keyText(key)}`;
  }

  async backend(): Promise<RegistryBackend> {
    const way = await Proxy.to(Number(new URL(this.address).port));
    const backend = await backendWith({ ETCD_HOSTS: `127.0.0.1:${way.port}`, REGISTRY_PREFIX: this.prefix });
    this.ways.set(backend, way);
    return backend;
  }

  async outage(of: RegistryBackend, how: Outage, meanwhile: () => Promise<void>): Promise<void> {
    if (how === 'rewound') {
      return this.own!.undoing(async () => {
        await this.connected();
        await meanwhile();
      });
    }
    const way = this.wayOf(of);
    if (how === 'frozen') way.freeze();
    else await way.cut();
    try {
      await meanwhile();
      if (how === 'forgotten') await this.etcdctl.compact();
    } finally {
      await way.mend();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.ways.values()].map((way) => way.close()));
  }

  /** Until everybody is connected again. */
  async connected(): Promise<void> {
    const signal = AbortSignal.timeout(CONNECTED_MS);
    for (const backend of this.ways.keys()) {
      const answers = () =>
        backend.ping(signal).then(
          () => true,
          () => false,
        );
      await until(answers, CONNECTED_MS);
    }
  }
}
