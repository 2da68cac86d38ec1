import type { BackendModule, ProbeModule, StrategyModule } from '#core';
import { BACKENDS } from '#backends';
import { STRATEGIES } from '#balancing';
import { PROBES } from '#health';
import { DIALECTS, type DialectModule } from './api/dialects/index.js';
import type { Choices } from './settings/index.js';

/** What there is at every seam. */
export interface Seams {
  readonly backends: readonly BackendModule[];
  readonly strategies: readonly StrategyModule[];
  readonly probes: readonly ProbeModule[];
  readonly dialects: readonly DialectModule[];
}

export const BUILT_IN: Seams = { backends: BACKENDS, strategies: STRATEGIES, probes: PROBES, dialects: DIALECTS };

/** What settings may choose from it. */
export function choicesOf({ backends, strategies, dialects }: Seams): Choices {
  return { backends, strategies: strategies.map(({ name }) => name), dialects: dialects.map(({ name }) => name) };
}
