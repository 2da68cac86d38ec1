import { join } from 'node:path';
import { ask, end, startProgram, startRegistry } from '../processes.js';
import type { RoundOptions } from '../rounds.js';
import { spread, type Spread } from '../statistics.js';
import type { Operation, RawRegistry } from './index.js';
import type { Done, Order, Side } from './program.js';

/** A backend beside the registry's own operations, by as many callers. */
export interface RegistryResult {
  readonly type: string;
  readonly callers: number;
  readonly operations: Readonly<Record<Operation, OperationResult>>;
}

export interface OperationResult {
  readonly raw: string;
  readonly rounds: readonly Readonly<Record<Side, Done>>[];
  readonly perSecond: Spread;
  /** Of the raw operations in the same round. */
  readonly ratio: Spread;
}

const CALLERS = 64;
const WARM_UP_MS = 2_000;
const SIDES: readonly Side[] = ['backend', 'raw'];

export async function compareWithRaw(
  registry: RawRegistry,
  { rounds, seconds }: RoundOptions,
): Promise<RegistryResult> {
  const server = await startRegistry(registry.type);
  const [backend, raw] = await Promise.all(
    SIDES.map(async (side) => {
      const child = startProgram(join(import.meta.dirname, 'program.js'), { core: 'measured' });
      await ask(child, { type: registry.type, address: server.address, side });
      return child;
    }),
  );
  const children = { backend: backend!, raw: raw! };
  const run = (side: Side, operation: Operation, ms: number) =>
    ask<Done>(children[side], { operation, callers: CALLERS, ms } satisfies Order);
  const measure = async (operation: Operation): Promise<OperationResult> => {
    for (const side of SIDES) await run(side, operation, WARM_UP_MS);
    const measured: Record<Side, Done>[] = [];
    for (let round = 0; round < rounds; round++) {
      const [first, second] = round % 2 === 0 ? (['backend', 'raw'] as const) : (['raw', 'backend'] as const);
      const one = await run(first, operation, seconds * 1_000);
      const other = await run(second, operation, seconds * 1_000);
      measured.push({ [first]: one, [second]: other } as Record<Side, Done>);
    }
    return {
      raw: registry.operations[operation],
      rounds: measured,
      perSecond: spread(measured.map(({ backend: { perSecond } }) => perSecond)),
      ratio: spread(measured.map((round) => round.backend.perSecond / round.raw.perSecond)),
    };
  };
  const operations = { register: await measure('register'), heartbeat: await measure('heartbeat') };
  await Promise.all([...Object.values(children), server.child].map((child) => end(child)));
  return { type: registry.type, callers: CALLERS, operations };
}
