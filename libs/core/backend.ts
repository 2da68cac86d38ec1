import type { z } from 'zod';
import type { ConfigStore } from './config-store.js';
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
 * leaves no socket, timer or file open; what is asked afterwards rejects with UNAVAILABLE. Whatever
 * rejects does so with a `BackendError`.
 *
 * An outage is never news of an instance: a backend that ends leases by itself ends none while the
 * registry does not answer it, and afterwards leaves everybody the time to renew that the outage has
 * taken. It need not notice a registry that is frozen with its sockets open: the catalog pings.
 *
 * A record that this release cannot read is logged and left out of list and watch alike (a `remove`
 * with cause `unknown` when there was one that it could read before); deregistering it works, to write over it
 * is a CONFLICT.
 */
export interface RegistryBackend {
  readonly capabilities: BackendCapabilities;
  /**
   * Connects and checks. Rejects for what no waiting mends, wrong credentials say, in words for an operator;
   * a registry that is away is an outage like any other, which the watch tells of. Settles within 10 s.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the registry answers a read now. The owner sets the deadline with the signal. */
  ping(signal: AbortSignal): Promise<void>;
  /** Everything there is; all of it or an error, never a part. */
  list(signal?: AbortSignal): Promise<RegistrySnapshot>;
  /**
   * What happens from now on. First a snapshot, even when it is empty (while the registry is away
   * `stale`, and the snapshot when it is back: a snapshot always is the present); then the changes of
   * each instance in order; a snapshot again after a gap that may have lost any. The first snapshot
   * holds every write that was acknowledged through this backend before the call.
   *
   * A watch converges and is no audit log: of states and removals that follow each other fast the last
   * one is told. After a snapshot the reader compares: no removes are sent for what it lacks. Ends
   * without an error when the signal aborts or the backend stops; an error is a gap like any other, and
   * the reader watches anew. A slow reader gets the newest state, never a queue without end.
   */
  watch(signal: AbortSignal): AsyncIterable<RegistryEvent>;
  readonly registrar?: Registrar;
  /** Absent: no configuration is kept here. */
  readonly configStore?: ConfigStore;
  /** What is amiss though it answers reads (a disk that takes no writes, say), in words for an operator. Absent: nothing beside. */
  trouble?(): string | undefined;
}

export interface RegistrySnapshot {
  readonly instances: readonly ServiceInstance[];
  /**
   * Whatever happened up to this version is in the snapshot; what is newer may be. It compares with
   * every instance's version of the same incarnation: one that is absent here and not newer has gone,
   * one that is absent and newer stays.
   */
  readonly asOf: Version;
  /**
   * Another one when versions have begun anew or have gone back (data lost, replaced, restored from a
   * backup): those of before say nothing. Compares within one started backend object only.
   */
  readonly incarnation: string;
}

export type RegistryEvent =
  | ({ readonly kind: 'snapshot' } & RegistrySnapshot)
  /** The same version again: only vitals have moved. */
  | { readonly kind: 'upsert'; readonly instance: ServiceInstance }
  | {
      readonly kind: 'remove';
      readonly key: InstanceKey;
      /** Newer than every state that it ends. A registry that forgets what it deletes needs a tombstone for it. */
      readonly version: Version;
      readonly cause: RemovalCause;
      readonly actor?: Actor;
    }
  /** The registry is away: what was known stands, and is no longer fresh. A snapshot or `live` ends it. */
  | { readonly kind: 'stale'; readonly error: BackendError }
  /** The registry is back, everything up to `asOf` has been told, and nothing was lost. */
  | { readonly kind: 'live'; readonly asOf: Version };

/** What a backend tells between two snapshots. */
export type RegistryChange = Exclude<RegistryEvent, { kind: 'snapshot' }>;

/** How this registry does a thing: by itself, by our doing, or not at all. */
export type Capability = 'native' | 'emulated' | 'refused';

export interface BackendCapabilities {
  readonly type: string;
  readonly register: Capability;
  readonly leases: Capability;
  readonly maintenance: Capability;
  readonly removalCauses: Capability;
  readonly configuration: Capability;
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
  /** An embedded registry keeps its data here. */
  readonly dataDir?: string;
}

/** One line of the list of backends: everything there is to know before it is loaded. */
export interface BackendModule<Options extends z.ZodObject = z.ZodObject> {
  /** The value of `REGISTRY_TYPE`. */
  readonly type: string;
  readonly summary: string;
  /** It is this process itself: never away, and the data folder is its own. */
  readonly embedded?: true;
  /** Its variables of the environment, by their names. A secret one says so in its `meta`. */
  readonly options: Options;
  /** Imports the registry's client library here, so that only the chosen one is loaded. */
  create(options: z.output<Options>, context: BackendContext): Promise<RegistryBackend>;
}
