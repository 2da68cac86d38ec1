import type { AuthenticationModule, BackendModule, ProbeModule, StrategyModule } from '#core';
import { BACKENDS } from '#backends';
import { STRATEGIES } from '#balancing';
import { PROBES } from '#health';
import { DIALECTS, type DialectModule } from './api/dialects/index.js';
import { SCHEMES } from './auth/schemes/index.js';
import type { Choices } from './settings/index.js';

/** What there is at every seam. */
export interface Seams {
  readonly backends: readonly BackendModule[];
  readonly strategies: readonly StrategyModule[];
  readonly probes: readonly ProbeModule[];
  readonly dialects: readonly DialectModule[];
  readonly schemes: readonly AuthenticationModule[];
}

export const BUILT_IN: Seams = {
  backends: BACKENDS,
  strategies: STRATEGIES,
  probes: PROBES,
  dialects: DIALECTS,
  schemes: SCHEMES,
};

/** What settings may choose from it. */
export function choicesOf({ backends, strategies, dialects, schemes }: Seams): Choices {
  const names = (modules: readonly { readonly name: string }[]) => modules.map(({ name }) => name);
  return { backends, strategies: names(strategies), dialects: names(dialects), schemes };
}
