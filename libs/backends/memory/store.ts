import type { InstanceRecord, Version } from '#core';

/** An instance as it is kept on disk. */
export interface StoredInstance {
  readonly record: InstanceRecord;
  readonly version: Version;
  /** Milliseconds since the epoch; how much of its lease is left after a restart. */
  readonly lastHeartbeat: number;
}

export interface StoredState<T> {
  /** Made when the store was made. */
  readonly incarnation: string;
  /** No version above this has been acknowledged. */
  readonly lastVersion: number;
  readonly values: ReadonlyMap<string, T>;
}

/** Where the memory backend keeps what it has acknowledged. */
export interface Store<T> {
  /** @throws Error that an operator can act on: in use, foreign, newer, or corrupt. */
  open(): Promise<StoredState<T>>;
  /** All or nothing; on disk when it resolves. `undefined` removes. One call at a time. */
  write(changes: ReadonlyMap<string, T | undefined>, lastVersion: number): Promise<void>;
  close(): Promise<void>;
}
