import { BACKENDS } from '#backends';
import type { Registration, RegistryBackend } from '#core';
import { quantile } from '../statistics.js';
import { registryOf } from './index.js';
import { TTL, type Operation, type RawClient } from './raw-client.js';

// A program: does with a registry what it is told to, as fast as so many callers can who wait for each answer:
// through the backend, or past it.

export interface Begin {
  readonly type: string;
  readonly address: string;
  readonly side: Side;
}
export type Side = 'backend' | 'raw';

export interface Order {
  readonly operation: Operation;
  readonly callers: number;
  readonly ms: number;
}

export interface Done {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const ACTOR = 'bench';
/** How many have been registered, for heartbeats. */
let registered = 0;
let turn = 0;
let client: RawClient;

process.on('disconnect', () => process.exit());
process.on('message', (message: Begin | Order) => {
  const answer = 'side' in message ? begin(message) : run(message);
  answer.then(
    (result) => process.send!(result),
    (error: unknown) => {
      console.error(message, error);
      process.exit(1);
    },
  );
});

async function begin({ type, address, side }: Begin): Promise<object> {
  client = side === 'raw' ? await registryOf(type).connect(address) : await throughBackend(type, address);
  return {};
}

async function throughBackend(type: string, address: string): Promise<RawClient> {
  const module = BACKENDS.find((each) => each.type === type)!;
  const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
  const options = module.options.parse(registryOf(type).environment(address));
  const backend: RegistryBackend = await module.create(options, { logger, now: Date.now, graceMs: 0 });
  await backend.start();
  const watching = new AbortController();
  // As in the server, which follows what it writes.
  void follow(backend, watching.signal);
  const { registrar } = backend;
  if (!registrar) throw new Error(`${type} is read-only`);
  return {
    register: async (n) => {
      await registrar.register(registration(n), { actor: ACTOR });
    },
    heartbeat: async (n) => {
      await registrar.renew(registration(n), {}, { actor: ACTOR });
    },
    close: async () => {
      watching.abort();
      await backend.stop();
    },
  };
}

async function follow(backend: RegistryBackend, signal: AbortSignal): Promise<void> {
  for await (const _event of backend.watch(signal));
}

function registration(n: number): Registration {
  return {
    serviceName: `service-${n % 100}`,
    serviceId: `instance-${n}`,
    address: `10.0.${(n >> 8) & 255}.${n & 255}`,
    port: 8_080,
    tags: ['api', 'v1'],
    metadata: { version: '1.0.0' },
    region: 'eu',
    zone: 'zone-1',
    ttl: TTL * 1_000,
  };
}

async function run({ operation, callers, ms }: Order): Promise<Done> {
  const latencies: number[] = [];
  const begun = performance.now();
  const caller = async () => {
    while (performance.now() - begun < ms) {
      const at = performance.now();
      if (operation === 'register') await client.register(registered++);
      else await client.heartbeat(turn++ % registered);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = (latencies.length * 1_000) / (performance.now() - begun);
  return { perSecond, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}
