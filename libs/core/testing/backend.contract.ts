import { describe, expect, it } from '@jest/globals';
import { changingContract } from './backend/changing.js';
import { foreignContract } from './backend/foreign.js';
import { leasesContract } from './backend/leases.js';
import { leavingContract } from './backend/leaving.js';
import { outagesContract } from './backend/outages.js';
import { readingContract } from './backend/reading.js';
import { registeringContract } from './backend/registering.js';
import { replicasContract } from './backend/replicas.js';
import { Trial, type BackendContractOptions } from './backend/trial.js';
import { watchingContract } from './backend/watching.js';

export type { BackendContractOptions, BackendFixture, Outage } from './backend/trial.js';

/** What every backend must do, as callers see it. */
export function backendContract(options: BackendContractOptions): void {
  describe(`backend contract: ${options.name}`, () => {
    const trial = new Trial(options);

    it('is tried on all that it says it can do', () => {
      expect(trial.backend.capabilities.replicas).toBe(options.replicas ?? false);
    });

    readingContract(trial);
    registeringContract(trial);
    changingContract(trial);
    leavingContract(trial);
    leasesContract(trial);
    watchingContract(trial);
    if (options.replicas) replicasContract(trial);
    if (options.outages) outagesContract(trial, options.outages);
    if (options.foreign) foreignContract(trial);
  });
}
