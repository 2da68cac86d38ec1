import { asBackendError } from '#core';
import type { CatalogChange } from '#catalog';
import { Counts, Distribution, Distributions } from '#telemetry';
import type { Observer } from '../registry/observed.js';
import { HttpTally } from './http-tally.js';

/** Seconds, of a registry's operations and of news from it. */
const REGISTRY_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const PROBE_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** What is counted as it happens, in plain numbers. */
export class Tallies {
  readonly http = new HttpTally();
  readonly operations = new Counts('operation', 'backend', 'result');
  readonly operationDurations = new Distributions(REGISTRY_BOUNDS, 'operation', 'backend');
  readonly probes = new Distributions(PROBE_BOUNDS, 'type', 'result');
  readonly events = new Counts('cause');
  readonly propagation = new Distribution(REGISTRY_BOUNDS);
  readonly configuration = new Counts('cause');

  /** @param now Milliseconds since the epoch. */
  constructor(private readonly now: () => number = Date.now) {}

  see(change: CatalogChange): void {
    if (change.kind === 'vitals' || change.kind === 'freshness' || !change.event) return;
    const { cause, at } = change.event;
    this.events.add(cause);
    // By the clock of whoever wrote it, which may be ahead of ours.
    this.propagation.record(Math.max(0, this.now() - at) / 1_000);
  }

  /** Counts what is asked of a registry of this type. */
  ofRegistry(backend: string): Observer {
    return async ({ name }, work) => {
      const began = performance.now();
      let result = 'ok';
      try {
        return await work();
      } catch (error) {
        result = asBackendError(error).code.toLowerCase();
        throw error;
      } finally {
        this.operations.add(name, backend, result);
        this.operationDurations.of(name, backend).record((performance.now() - began) / 1_000);
      }
    };
  }
}
