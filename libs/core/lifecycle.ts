import type { InstanceKey } from './instance.js';

/** Why an instance came, changed or went. */
export const CHANGE_CAUSES = ['registered', 'updated', 'status', 'maintenance'] as const;
export const REMOVAL_CAUSES = ['deregistered', 'expired', 'evicted', 'unknown'] as const;
/** What only the catalog does: keep what a mass loss took, let it go, or take it back. */
export const HOLD_CAUSES = ['held', 'released'] as const;

export type ChangeCause = (typeof CHANGE_CAUSES)[number];
/** `unknown`: it was found gone, and nobody says why. */
export type RemovalCause = (typeof REMOVAL_CAUSES)[number];
export type HoldCause = (typeof HOLD_CAUSES)[number];

/** Who did it: a caller's identity, or the part of this server that acted (`health-monitor`, `registry`). */
export type Actor = string;

/** The latest change of an instance: stored together with what it changed. */
export interface ChangeStamp {
  readonly cause: ChangeCause;
  readonly actor: Actor;
  /** Milliseconds since the epoch, by the clock of whoever wrote it: for people, never for deadlines. */
  readonly at: number;
}

/** Every change of an instance, as audit, timeline, metrics and logs see it. */
export interface LifecycleEvent {
  readonly key: InstanceKey;
  readonly cause: ChangeCause | RemovalCause | HoldCause;
  readonly actor: Actor;
  readonly at: number;
  /** What is worth saying beyond the cause: the new status, a reason. */
  readonly detail?: string;
}
