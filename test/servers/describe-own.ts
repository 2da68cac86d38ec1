import { describe } from '@jest/globals';
import { hasPrograms, type ServerKind } from './kind.js';

/**
 * For suites that start servers of their own: skipped where there is only one to share, as with containers, and
 * said so by the runner. With CI set the runner has failed before, for want of the programs.
 */
export function describeOwn(kind: Pick<ServerKind, 'programs'>): typeof describe | typeof describe.skip {
  return hasPrograms(kind) ? describe : describe.skip;
}
