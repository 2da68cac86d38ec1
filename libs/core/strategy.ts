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
  /** How the winner was found, in a sentence. */
  readonly reason: string;
  /** Reports how the call went. */
  done(outcome: Outcome): void;
}

/** Chooses one of the candidates, which are sorted by id and all fit to be picked; undefined when there is none. */
export interface BalancingStrategy {
  pick(candidates: readonly ServiceInstance[], request: PickRequest): Choice | undefined;
}

export type Choice = Omit<Pick, 'done'>;

/** What callers have reported of an instance. */
export interface InstanceStats {
  readonly requests: number;
  readonly errors: number;
  readonly averageMs: number;
  /** Picks that have not reported yet. */
  readonly inFlight: number;
}

export interface StrategyContext {
  stats(key: InstanceKey): InstanceStats;
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
