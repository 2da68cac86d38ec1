import type { Environment } from '../../support/process.js';
import type { Trial } from './trial.js';

/** Something that goes wrong, for a while. */
export interface Fault {
  readonly name: string;
  /** How long it lasts. */
  readonly ms: number;
  /** The server loses sight of its registry. */
  readonly outage: boolean;
  /** The server itself is not there. */
  readonly down?: boolean;
  /** Nothing can be written, and what is known is the truth all the same. */
  readonly readOnly?: boolean;
  /** What the server may log as an error. */
  readonly complaint?: string;
  /** What the registry had acknowledged. */
  readonly loses?: 'everything' | 'the last writes';
  /** Leases may end on account of it: the registry keeps them by itself. */
  readonly endsLeases?: boolean;
  /** MASS_LOSS_HOLD, seconds; by default nothing is held. */
  readonly hold?: number;
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
