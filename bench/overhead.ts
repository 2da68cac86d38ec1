import { join } from 'node:path';
import { end, startProgram } from './processes.js';
import {
  inTurn,
  ratiosOf,
  seededServer,
  Side,
  WARM_UP_MS,
  type Comparison,
  type Round,
  type RoundOptions,
} from './rounds.js';
import type { Overhead } from './scenarios.js';

// What an option costs a discovery: two servers in turn, with it and without.

export interface OverheadResult extends Pick<Comparison, 'ratio' | 'cpuRatio'> {
  readonly rounds: readonly Round[];
}

/** A few percent are looked for: many short rounds see them where few long ones do not. */
const SHORTER = 4;

export async function measureOverhead(
  { scenario, without }: Overhead,
  { rounds, seconds }: RoundOptions,
): Promise<OverheadResult> {
  const generator = startProgram(join(import.meta.dirname, 'load-program.js'), { core: 'load' });
  const server = new Side(await seededServer(scenario), scenario, generator);
  const other = new Side(await seededServer(without), without, generator);
  const sides = { server, other };
  for (const side of [server, other]) await side.run(WARM_UP_MS);
  const measured = await inTurn(SHORTER * rounds, (side) => sides[side].run((seconds * 1_000) / SHORTER));
  await Promise.all([server.subject.stop(), other.subject.stop(), end(generator)]);
  return { rounds: measured, ...ratiosOf(measured) };
}
