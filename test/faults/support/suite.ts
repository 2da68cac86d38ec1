import { afterAll, describe, it } from '@jest/globals';
import { Places } from '#core';
import { describeOwn } from '../../servers/describe-own.js';
import type { ServerKind } from '../../servers/kind.js';
import { endProcesses } from '../../support/process.js';
import { survivesMany } from './cycles.js';
import type { Fault } from './fault.js';
import { record } from './results.js';
import type { Subject } from './subject.js';
import { Trial } from './trial.js';
import { Walk } from './walk.js';

const TEST_MS = 300_000;
/** How long a walk takes: half an hour, or what SOAK_MINUTES says, by npm run test:soak. */
const WALK_MS = process.env.SOAK ? Number(process.env.SOAK_MINUTES ?? 30) * 60_000 : 20_000;
const CYCLES_MS = 1_800_000;
/** FAULTS_SEED=… walks the same way again. */
const SEED = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 1_000_000));
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
  /** Whether to try at random, too. */
  readonly walk?: boolean;
}

/** Tries each fault on a registry of its kind. */
export function faultsOf(
  kind: Pick<ServerKind, 'name' | 'programs'>,
  { start, ownEach = false, apart, together, walk = false }: FaultSuite,
): void {
  let shared: Promise<Subject> | undefined;
  const on = async (work: (subject: Subject) => Promise<void>) => {
    const subject = await (ownEach ? start() : (shared ??= start()));
    try {
      await work(subject);
    } finally {
      if (ownEach) await subject.stop();
    }
  };
  const run = (fault: Fault) => on(async (subject) => record(kind.name, fault.name, await Trial.run(subject, fault)));
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
    if (!walk) return;
    it(
      `is what a model says, whatever is done to it (FAULTS_SEED=${SEED})`,
      () => on((subject) => Walk.run(subject, SEED, WALK_MS)),
      WALK_MS + TEST_MS,
    );
    if (process.env.SOAK && kind.name !== 'memory') {
      it('leaves nothing behind, however often it goes', () => on(survivesMany), CYCLES_MS);
    }
  });
}
