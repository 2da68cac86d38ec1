import type { BackendModule, ProbeModule, StrategyModule } from '#core';
import { BACKENDS } from '#backends';
import { STRATEGIES } from '#balancing';
import { PROBES } from '#health';

/** What there is at every seam. */
export interface Seams {
  readonly backends: readonly BackendModule[];
  readonly strategies: readonly StrategyModule[];
  readonly probes: readonly ProbeModule[];
}

export const BUILT_IN: Seams = { backends: BACKENDS, strategies: STRATEGIES, probes: PROBES };
