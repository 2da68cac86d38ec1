import type { Environment } from '../../support/process.js';
import type { Leave } from './judge.js';
import type { Trial } from './trial.js';

/** Something that goes wrong, for a while. */
export interface Fault extends Leave {
  readonly name: string;
  /** How long it lasts. */
  readonly ms: number;
  /** The server itself is not there. */
  readonly down?: boolean;
  /** Nothing can be written, and what is known is the truth all the same. */
  readonly readOnly?: boolean;
  /** What the server may log as an error. */
  readonly complaint?: string;
  /** Seconds, of instances that live by heartbeats. */
  readonly ttl?: number;
  /** Of the server that it befalls. */
  readonly environment?: Environment;
  readonly begin: (trial: Trial) => Promise<void> | void;
  /** While it lasts. */
  readonly meanwhile?: (trial: Trial) => Promise<void>;
  /** Resolves when the registry is back. */
  readonly end: (trial: Trial) => Promise<void> | void;
}
