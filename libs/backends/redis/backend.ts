import {
  asBackendError,
  silentLogger,
  Watches,
  type BackendCapabilities,
  type BackendContext,
  type ConfigStore,
  type Registrar,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
} from '#core';
import { ChangeLog } from './change-log.js';
import { RedisConfigStore } from './config-store.js';
import { Connection, isHopeless, type ConnectionOptions } from './connection.js';
import { Follower, WAIT_MS } from './follower.js';
import { keysUnder } from './keys.js';
import { RedisRegistrar } from './registrar.js';
import { Registry } from './registry.js';
import { Ticker } from './ticker.js';

/** Of a command; of one that waits by itself, on top of that. */
const DEADLINE_MS = 3_000;

export interface RedisOptions extends ConnectionOptions {
  readonly prefix: string;
}

/** The registry in Redis: records and leases in hashes, a stream says what has changed. */
export class RedisBackend implements RegistryBackend {
  readonly capabilities: BackendCapabilities = {
    type: 'redis',
    register: 'native',
    leases: 'emulated',
    maintenance: 'emulated',
    removalCauses: 'emulated',
    configuration: 'emulated',
    durable: true,
    replicas: true,
    notes: [
      'What Redis loses is lost here too: set appendonly yes there, and maxmemory-policy noeviction.',
      'A failover of Redis can lose the last writes that it has acknowledged; instances register again at their next heartbeat.',
      'What somebody else changes in our keys is seen at the next reading of everything.',
    ],
  };
  readonly registrar: Registrar;
  readonly configStore: ConfigStore;
  private readonly commands: Connection;
  private readonly waiting: Connection;
  private readonly registry: Registry;
  private readonly watches = new Watches(() => this.list());
  private readonly follower: Follower;
  private readonly ticker: Ticker;

  constructor({ prefix, ...connection }: RedisOptions, { logger, now }: BackendContext) {
    const keys = keysUnder(prefix);
    this.commands = new Connection(connection, DEADLINE_MS, logger);
    // Whatever it complains of, the other does too, or the watch says it.
    this.waiting = new Connection(connection, WAIT_MS + DEADLINE_MS, silentLogger);
    this.registry = new Registry(this.commands, keys, logger);
    this.registrar = new RedisRegistrar(this.registry, now);
    this.configStore = new RedisConfigStore(this.commands, prefix);
    this.follower = new Follower(this.registry, new ChangeLog(this.waiting, keys), this.watches, logger);
    this.ticker = new Ticker(this.registry, (state) => this.follower.seen(state), logger);
  }

  async start(): Promise<void> {
    try {
      await Promise.all([this.commands.connect(), this.waiting.connect()]);
      await this.ticker.tick();
    } catch (error) {
      // What can mend itself is waited for.
      if (isHopeless(error)) {
        await this.stop();
        throw asBackendError(error);
      }
    }
    await this.follower.start();
    this.ticker.start();
  }

  async stop(): Promise<void> {
    this.watches.end();
    await Promise.all([this.commands.close(), this.waiting.close(), this.follower.stop(), this.ticker.stop()]);
  }

  ping(signal: AbortSignal): Promise<void> {
    return this.registry.ping(signal);
  }

  list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    return this.registry.list(signal);
  }

  watch(signal: AbortSignal): AsyncIterable<RegistryEvent> {
    return this.watches.watch(signal);
  }
}
