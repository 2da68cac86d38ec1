import type { BackendModule, ProbeModule, RegistryBackend, StrategyModule } from '#core';

/** What is loaded at every seam, and the registry that was chosen. */
export class Seams {
  constructor(
    readonly backend: RegistryBackend,
    readonly backends: readonly BackendModule[],
    readonly strategies: readonly StrategyModule[],
    readonly probes: readonly ProbeModule[],
    readonly defaultStrategy: string,
  ) {}
}
