import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { silentLogger, type RegistryBackend } from '#core';
import { Watcher } from '#core/testing';
import { BACKENDS } from '#backends';
import { startAgent, type AgentOptions, type ConsulAgent } from '../../../servers/consul.js';

type Environment = Readonly<Record<string, string>>;

export const actor = 'test';
export const START_MS = 60_000;

/** As the server would make it with these variables. */
export async function createBackend(environment: Environment): Promise<RegistryBackend> {
  const consul = BACKENDS.find(({ type }) => type === 'consul')!;
  return consul.create(consul.options.parse(environment), { logger: silentLogger, now: Date.now, graceMs: 0 });
}

/** Consul's own API, as an operator uses it; undefined for what is not there. */
export async function operate(
  { address }: Pick<ConsulAgent, 'address'>,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<any> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const answer = await fetch(`${address}/v1/${path}`, {
    method,
    body: raw ? body : JSON.stringify(body),
    headers: token === undefined ? {} : { 'X-Consul-Token': token },
  });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return answer.ok && text !== '' ? JSON.parse(text) : undefined;
}

/** A Consul for the tests of a file, and what each test makes on it. */
export class Stage {
  agent!: ConsulAgent;
  private readonly backends: RegistryBackend[] = [];
  private readonly watchers: Watcher[] = [];

  constructor(options: AgentOptions = {}) {
    beforeAll(async () => {
      this.agent = await startAgent(options);
    }, START_MS);
    afterEach(() => this.clear());
    afterAll(() => this.agent.server.stop());
  }

  /** One that has started. */
  async backend(environment: Environment = {}): Promise<RegistryBackend> {
    const backend = await createBackend({ CONSUL_PORT: String(this.agent.port), ...environment });
    this.backends.push(backend);
    await backend.start();
    return backend;
  }

  /** One that has seen the beginning. */
  async watch(backend: RegistryBackend): Promise<Watcher> {
    const watcher = new Watcher(backend);
    this.watchers.push(watcher);
    await watcher.until('the beginning', () => watcher.events.length > 0);
    return watcher;
  }

  operate(method: string, path: string, body?: unknown): Promise<any> {
    return operate(this.agent, method, path, body);
  }

  /** Everything but the agent itself. */
  private async clear(): Promise<void> {
    await Promise.all(this.watchers.splice(0).map((watcher) => watcher.stop()));
    await Promise.all(this.backends.splice(0).map((backend) => backend.stop()));
    await this.operate('DELETE', 'kv/?recurse');
    for (const id of Object.keys(await this.operate('GET', 'agent/services'))) {
      await this.operate('PUT', `agent/service/deregister/${encodeURIComponent(id)}`);
    }
    for (const { Node } of await this.operate('GET', 'catalog/nodes?filter=Node != "agent-1"')) {
      await this.operate('PUT', 'catalog/deregister', { Node });
    }
  }
}
