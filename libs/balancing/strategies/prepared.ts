import type { ServiceInstance } from '#core';

/** What a strategy works out of candidates, once for each array of them: such an array never changes. */
export function prepared<T extends object>(
  prepare: (candidates: readonly ServiceInstance[]) => T,
): (candidates: readonly ServiceInstance[]) => T {
  const known = new WeakMap<readonly ServiceInstance[], T>();
  return (candidates) => {
    let result = known.get(candidates);
    if (!result) known.set(candidates, (result = prepare(candidates)));
    return result;
  };
}
