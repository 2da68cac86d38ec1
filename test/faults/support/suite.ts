import { afterAll, describe, it } from '@jest/globals';
import { Places } from '#core';
import { describeOwn } from '../../servers/describe-own.js';
import type { ServerKind } from '../../servers/kind.js';
import { endProcesses } from '../../support/process.js';
import type { Fault } from './fault.js';
import { record } from './results.js';
import type { Subject } from './subject.js';
import { Trial } from './trial.js';

const TEST_MS = 300_000;
/** Each is two servers and those who use them; a suite of another kind runs beside this one. */
const SIDE_BY_SIDE = 3;

export interface FaultSuite {
  readonly start: () => Promise<Subject>;
  /** Each trial has a registry of its own: on one, they would see each other. */
  readonly ownEach?: boolean;
  /** Befall one server's way to the registry: they are tried side by side. */
  readonly apart: readonly Fault[];
  /** Befall the registry itself. */
  readonly together: readonly Fault[];
}

/** Tries each fault on a registry of its kind. */
export function faultsOf(
  kind: Pick<ServerKind, 'name' | 'programs'>,
  { start, ownEach = false, apart, together }: FaultSuite,
): void {
  let shared: Promise<Subject> | undefined;
  const run = async (fault: Fault) => {
    const subject = await (ownEach ? start() : (shared ??= start()));
    try {
      record(kind.name, fault.name, await Trial.run(subject, fault));
    } finally {
      if (ownEach) await subject.stop();
    }
  };
  const places = new Places(SIDE_BY_SIDE);
  afterAll(async () => {
    await endProcesses();
    await (await shared)?.stop();
  }, TEST_MS);

  describeOwn(kind)(kind.name, () => {
    describe('of which one server loses sight', () => {
      for (const fault of apart) it.concurrent(`is ${fault.name}`, () => places.take(() => run(fault)), TEST_MS);
    });
    for (const fault of together) it(`is ${fault.name}`, () => run(fault), TEST_MS);
  });
}
