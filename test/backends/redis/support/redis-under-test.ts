import { afterEach } from '@jest/globals';
import {
  silentLogger,
  type BackendContext,
  type Registered,
  type RegistryBackend,
  type Registration,
  type ServiceInstance,
} from '#core';
import { registration, Watcher } from '#core/testing';
import { BACKENDS } from '#backends';

export type Environment = Readonly<Record<string, string>>;

const module = BACKENDS.find(({ type }) => type === 'redis')!;
const CONTEXT: BackendContext = { logger: silentLogger, now: Date.now, graceMs: 0 };

export const actor = 'test';

/** The backend as the settings would make it, not yet started. */
export function createBackend(
  environment: Environment,
  context: Partial<BackendContext> = {},
): Promise<RegistryBackend> {
  return module.create(module.options.parse(environment), { ...CONTEXT, ...context });
}

/** Backends and watches of one test, ended after it. */
export class Bench {
  private readonly backends: RegistryBackend[] = [];
  private readonly watchers: Watcher[] = [];

  constructor() {
    afterEach(async () => {
      await Promise.all(this.watchers.splice(0).map((watcher) => watcher.stop()));
      await Promise.all(this.backends.splice(0).map((backend) => backend.stop()));
    });
  }

  async start(environment: Environment, context: Partial<BackendContext> = {}): Promise<RegistryBackend> {
    const backend = await createBackend(environment, context);
    this.backends.push(backend);
    await backend.start();
    return backend;
  }

  /** A watch that has seen the beginning. */
  async watch(backend: RegistryBackend): Promise<Watcher> {
    const watcher = new Watcher(backend);
    this.watchers.push(watcher);
    await watcher.until('a first event', () => watcher.events.length > 0);
    return watcher;
  }
}

export function register(backend: RegistryBackend, over: Partial<Registration> = {}): Promise<Registered> {
  return backend.registrar!.register(registration(over), { actor });
}

export async function ids(backend: RegistryBackend): Promise<string[]> {
  return (await backend.list()).instances.map(({ serviceId }) => serviceId).sort();
}

export async function find(backend: RegistryBackend, serviceId: string): Promise<ServiceInstance | undefined> {
  return (await backend.list()).instances.find((instance) => instance.serviceId === serviceId);
}
