import { describe } from '@jest/globals';
import { hasPrograms, type ServerKind } from './kind.js';

/** For suites that start servers of their own: left out where there is only one to share. */
export function describeOwn(kind: ServerKind): typeof describe | typeof describe.skip {
  return hasPrograms(kind) ? describe : describe.skip;
}
