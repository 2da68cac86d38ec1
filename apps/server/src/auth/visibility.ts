import { createHash } from 'node:crypto';
import type { Described, Scope } from './grants.js';

/** What somebody may see. Whoever may see the same shares answers, feeds and the turns of picks. */
export interface Visibility {
  /** The same for all who may see the same, and for them alone. */
  readonly key: string;
  /** There is nothing that it leaves out. */
  readonly all: boolean;
  /** All instances of this service, whatever they are. */
  seesAllOf(serviceName: string): boolean;
  sees(instance: Described): boolean;
}

export const SEES_ALL: Visibility = { key: 'all', all: true, seesAllOf: () => true, sees: () => true };

export function visibilityOf(scopes: readonly Scope[]): Visibility {
  const seeing = scopes.filter((scope) => scope.includes('reader'));
  if (seeing.some(({ isEverything }) => isEverything)) return SEES_ALL;
  const keys = [...new Set(seeing.map(({ key }) => key))].sort();
  return {
    key: createHash('sha256').update(JSON.stringify(keys)).digest('base64url'),
    all: false,
    seesAllOf: (serviceName) => seeing.some((scope) => scope.whole && scope.isOf(serviceName)),
    sees: (instance) => seeing.some((scope) => scope.covers(instance)),
  };
}
