import { afterAll, describe, it } from '@jest/globals';
import { describeOwn } from '../../servers/describe-own.js';
import type { ServerKind } from '../../servers/kind.js';
import { endProcesses } from '../../support/process.js';
import type { Fault } from './fault.js';
import { record } from './results.js';
import type { Subject } from './subject.js';
import { Trial } from './trial.js';

const TEST_MS = 300_000;

export interface FaultSuite {
  readonly start: () => Promise<Subject>;
  /** Befall one server's way to the registry: they are tried side by side. */
  readonly apart: readonly Fault[];
  /** Befall the registry itself. */
  readonly together: readonly Fault[];
}

/** Tries each fault on a registry of its own kind, which all of them share. */
export function faultsOf(kind: ServerKind, { start, apart, together }: FaultSuite): void {
  let started: Promise<Subject> | undefined;
  const run = async (fault: Fault) => {
    const subject = await (started ??= start());
    const cell = await Trial.run(subject, fault);
    record(kind.name, fault.name, cell);
  };
  afterAll(async () => {
    await endProcesses();
    await (await started)?.stop();
  });

  describeOwn(kind)(kind.name, () => {
    describe('of which one server loses sight', () => {
      for (const fault of apart) it.concurrent(`is ${fault.name}`, () => run(fault), TEST_MS);
    });
    for (const fault of together) it(`is ${fault.name}`, () => run(fault), TEST_MS);
  });
}
