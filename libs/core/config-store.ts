import type { JsonObject } from './json.js';
import type { Actor } from './lifecycle.js';

/** Names a line of versions; opaque to stores: at most 250 of a–z, 0–9, `.`, `_`, `-`, `*` and `/`. */
export type ConfigKey = string;

/** One version. It never changes once it is stored. */
export interface ConfigEntry {
  /** From 1 on; each is higher than the one before, mostly by one. */
  readonly version: number;
  /** The version that this one followed; 0: none. */
  readonly previous: number;
  /** Absent: it was deleted with this version. */
  readonly config?: JsonObject;
  readonly actor: Actor;
  /** Milliseconds since the epoch, by the clock of whoever wrote it: for people. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The earlier version whose content this one brought back. */
  readonly rolledBackTo?: number;
}

/** The newest version of every key, of those deleted too. */
export type ConfigHeads = ReadonlyMap<ConfigKey, number>;

/**
 * Where versions are kept: all it knows of them is their order. Whatever rejects does so with a `BackendError`;
 * a version that this release cannot read with CONFLICT or NOT_SUPPORTED. It starts and stops with its backend.
 */
export interface ConfigStore {
  heads(signal?: AbortSignal): Promise<ConfigHeads>;
  /** The newest version, or the one asked for; undefined when it is not there, or not any more. */
  get(key: ConfigKey, version?: number, signal?: AbortSignal): Promise<ConfigEntry | undefined>;
  /**
   * Stores the next version, whole or not at all, and forgets what is older than the history is long.
   * CONFLICT when `previous` is not the newest version: nothing happened then.
   */
  append(key: ConfigKey, entry: ConfigEntry, signal?: AbortSignal): Promise<void>;
  /**
   * The heads now, and again at least after every change; states that follow each other fast may be left out. Ends
   * without an error when the signal aborts; rejects when the registry is away, and the reader begins anew.
   */
  watch(signal: AbortSignal): AsyncIterable<ConfigHeads>;
}
