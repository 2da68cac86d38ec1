import type { InstanceKey, ServiceInstance } from './instance.js';

/** What the caller of a pick says of itself and of what it wants. */
export interface PickRequest {
  /** Names service and filter: strategies that count, count for each scope apart. */
  readonly scope: string;
  /** For consistent hashing. */
  readonly hashKey?: string;
  /** Where the caller is. */
  readonly region?: string;
  readonly zone?: string;
}

/** What a caller saw of the instance that it was given. */
export interface Outcome {
  readonly ok?: boolean;
  readonly durationMs?: number;
  /** The connection is free again: it counts no longer as in use. */
  readonly released?: boolean;
}

export interface Pick {
  readonly instance: ServiceInstance;
  /** How the winner was found, in a sentence. Few callers read it: a getter makes it for those. */
  readonly reason: string;
  /** Reports how the call went. */
  done(outcome: Outcome): void;
}

/**
 * Chooses one of the candidates, which are sorted by id (by code units, as `<` compares) and all fit to
 * be picked; undefined when there is none. An array of candidates never changes once it was given, except
 * for their vitals, and the same array comes again until the candidates change: what is worked out of it
 * may be kept with it.
 */
export interface BalancingStrategy {
  pick(candidates: readonly ServiceInstance[], request: PickRequest): Choice | undefined;
}

export type Choice = Omit<Pick, 'done'>;

/** What this process has picked of an instance and what callers have reported of it; 0 where nothing was. */
export interface InstanceStats {
  readonly picks: number;
  readonly requests: number;
  readonly errors: number;
  /** Of all requests that told their duration. */
  readonly averageMs: number;
  /** Picks that have not reported yet, except those so old that they never will. */
  readonly inFlight: number;
  /** Of the last seconds, which weigh the more the later they are. */
  readonly recentMs: number;
  /** As recentMs, 0 to 1: near 0 again when nothing has been reported for a while. */
  readonly recentErrorRate: number;
  /** Follows a slow or failed request at once and forgets it slowly; decays while nothing is reported. */
  readonly peakMs: number;
}

export interface StrategyContext {
  /** To be read at once, not to be kept: an instance that comes back begins anew. */
  readonly stats: (key: InstanceKey) => InstanceStats;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One line of the list of strategies. */
export interface StrategyModule {
  readonly name: string;
  readonly summary: string;
  create(context: StrategyContext): BalancingStrategy;
}
