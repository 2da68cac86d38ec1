import fc from 'fast-check';

const IDS = ['m0', 'm1', 'm2', 'l0', 'l1', 'l2'];
const SERVICES = ['walk-a', 'walk-b'];

/** What a caller does, through one of the servers. Instances whose id begins with `m` live by heartbeats. */
export interface Write {
  readonly kind: 'register' | 'renew' | 'deregister' | 'patch' | 'maintain' | 'release';
  readonly service: string;
  readonly id: string;
  readonly tag: string;
  readonly through: number;
}

/** Something goes wrong; writes are tried meanwhile; all is well again. */
export interface Outage {
  readonly kind: 'outage';
  readonly how: 'cut' | 'killed' | 'frozen' | 'server killed';
  readonly of: number;
  readonly writes: readonly Write[];
  readonly pauseMs: number;
}

/** `look`: everybody must agree. `expire`: who has a lease falls silent until it ends. */
export type Step = Write | Outage | { readonly kind: 'look' | 'expire' };

const write: fc.Arbitrary<Write> = fc.record({
  kind: fc.constantFrom('register', 'register', 'renew', 'renew', 'deregister', 'patch', 'maintain', 'release'),
  service: fc.constantFrom(...SERVICES),
  id: fc.constantFrom(...IDS),
  tag: fc.nat({ max: 99 }).map((n) => `tag-${n}`),
  through: fc.nat({ max: 1 }),
});

const outage: fc.Arbitrary<Outage> = fc.record({
  kind: fc.constant('outage'),
  how: fc.constantFrom('cut', 'cut', 'killed', 'frozen', 'server killed'),
  of: fc.nat({ max: 1 }),
  writes: fc.array(write, { minLength: 1, maxLength: 4 }),
  pauseMs: fc.nat({ max: 500 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 60, arbitrary: write },
  { weight: 4, arbitrary: fc.constant({ kind: 'look' } as const) },
  { weight: 2, arbitrary: outage },
  { weight: 1, arbitrary: fc.constant({ kind: 'expire' } as const) },
);

/** Without an end, and the same for the same seed. */
export function* stepsOf(seed: number): Iterable<Step> {
  for (let part = 0; ; part++) yield* fc.sample(step, { seed: seed + part, numRuns: 100 });
}
