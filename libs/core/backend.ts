import type { z } from 'zod';
import type { BackendError } from './errors.js';
import type { InstanceKey, ServiceInstance } from './instance.js';
import type { Actor, RemovalCause } from './lifecycle.js';
import type { Logger } from './logger.js';
import type { Registrar } from './registrar.js';
import type { Version } from './version.js';

/**
 * A registry behind the common interface. Absent `registrar`: read-only.
 *
 * The owner calls `start` once, then anything, then `stop` once or more. `stop` ends every watch and
 * leaves no socket, timer or file open.
 */
export interface RegistryBackend {
  readonly capabilities: BackendCapabilities;
  /** Connects and checks; rejects with what an operator needs to read. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the registry answers a read now. The owner sets the deadline with the signal. */
  ping(signal: AbortSignal): Promise<void>;
  /** Everything there is; all of it or an error, never a part. */
  list(signal?: AbortSignal): Promise<RegistrySnapshot>;
  /**
   * What happens from now on: a snapshot first, even when it is empty, then changes in order, and a
   * snapshot again after a gap. Ends without an error when the signal aborts or the backend stops.
   * A slow reader gets the newest state, never a queue without end.
   */
  watch(signal: AbortSignal): AsyncIterable<RegistryEvent>;
  readonly registrar?: Registrar;
}

export interface RegistrySnapshot {
  readonly instances: readonly ServiceInstance[];
  /** Whatever happened up to this version is in the snapshot; what is newer may be. */
  readonly asOf: Version;
  /** Changes when the registry has begun to count anew (data lost, restored, replaced): versions of another one say nothing. */
  readonly incarnation: string;
}

export type RegistryEvent =
  | ({ readonly kind: 'snapshot' } & RegistrySnapshot)
  /** The same version again: only vitals have moved. */
  | { readonly kind: 'upsert'; readonly instance: ServiceInstance }
  | {
      readonly kind: 'remove';
      readonly key: InstanceKey;
      readonly version: Version;
      readonly cause: RemovalCause;
      readonly actor?: Actor;
    }
  /** The registry is away: what was known stands, and is no longer fresh. A snapshot ends it. */
  | { readonly kind: 'stale'; readonly error: BackendError };

/** How this registry does a thing: by itself, by our doing, or not at all. */
export type Capability = 'native' | 'emulated' | 'refused';

export interface BackendCapabilities {
  readonly type: string;
  readonly register: Capability;
  readonly leases: Capability;
  readonly maintenance: Capability;
  readonly removalCauses: Capability;
  /** Acknowledged writes survive kill -9 of this server. */
  readonly durable: boolean;
  /** Several servers may stand in front of it. */
  readonly replicas: boolean;
  /** What a user should know, in a sentence each. */
  readonly notes: readonly string[];
}

export interface BackendContext {
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What an instance gets at least after a restart before it may expire. */
  readonly graceMs: number;
}

/** One line of the list of backends: everything there is to know before it is loaded. */
export interface BackendModule<Options extends z.ZodObject = z.ZodObject> {
  /** The value of `REGISTRY_TYPE`. */
  readonly type: string;
  readonly summary: string;
  /** Its variables of the environment, by their names. A secret one says so in its `meta`. */
  readonly options: Options;
  /** Imports the registry's client library here, so that only the chosen one is loaded. */
  create(options: z.output<Options>, context: BackendContext): Promise<RegistryBackend>;
}
