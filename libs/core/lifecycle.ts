import type { InstanceKey } from './instance.js';

/** Why an instance came, changed or went. */
export const CHANGE_CAUSES = ['registered', 'updated', 'status', 'maintenance'] as const;
export const REMOVAL_CAUSES = ['deregistered', 'expired', 'evicted', 'unknown'] as const;
/** What only the catalog does: keep what a mass loss took, let it go, or take it back. */
export const HOLD_CAUSES = ['held', 'released'] as const;

/** What becomes of a document of configuration. */
export const CONFIG_CAUSES = ['configured', 'rolled-back', 'deleted'] as const;

export type ChangeCause = (typeof CHANGE_CAUSES)[number];
/** `unknown`: it was found gone, and nobody says why. */
export type RemovalCause = (typeof REMOVAL_CAUSES)[number];
export type HoldCause = (typeof HOLD_CAUSES)[number];
export type ConfigCause = (typeof CONFIG_CAUSES)[number];

/** A document of configuration. */
export interface DocumentKey {
  readonly serviceName: string;
  readonly environment: string;
}

/** Who did it: a caller's identity, or the part of this server that acted (`health-monitor`, `registry`). */
export type Actor = string;

/** The latest change of an instance: stored together with what it changed. */
export interface ChangeStamp {
  readonly cause: ChangeCause;
  readonly actor: Actor;
  /** Milliseconds since the epoch, by the clock of whoever wrote it: for people, never for deadlines. */
  readonly at: number;
}

/** Every change of an instance or of configuration, as audit, timeline, metrics and logs see it. */
export interface LifecycleEvent<Key = InstanceKey, Cause = ChangeCause | RemovalCause | HoldCause> {
  readonly key: Key;
  readonly cause: Cause;
  readonly actor: Actor;
  readonly at: number;
  /** What is worth saying beyond the cause: the new status, a reason. */
  readonly detail?: string;
}

export type ConfigEvent = LifecycleEvent<DocumentKey, ConfigCause>;
