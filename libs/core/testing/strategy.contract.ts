import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BalancingStrategy, InstanceStats, PickRequest, ServiceInstance, StrategyModule } from '../index.js';
import { registration } from './registrations.js';

/** An instance as a catalog would hold it. */
export function serviceInstance(over: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    ...registration(),
    reported: 'passing',
    registeredAt: 0,
    changed: { cause: 'registered', actor: 'test', at: 0 },
    version: '1',
    vitals: {},
    ...over,
  };
}

const REQUEST: PickRequest = { scope: 'api' };

const instances = fc
  .uniqueArray(
    fc.record({
      serviceId: fc.string({ minLength: 1, maxLength: 8 }),
      weight: fc.constantFrom(undefined, 0, 1, 100, 65_535),
      region: fc.constantFrom(undefined, 'eu', 'us'),
      zone: fc.constantFrom(undefined, '1', '2'),
      reported: fc.constantFrom('passing' as const, 'warning' as const),
      metadata: fc.constantFrom<Record<string, string>>(
        {},
        { cpu_usage: '50' },
        { cpu_usage: 'much' },
        { weight: 'heavy' },
      ),
      vitals: fc.record({ activeConnections: fc.constantFrom(undefined, 0, 7) }),
    }),
    { selector: ({ serviceId }) => serviceId, maxLength: 12 },
  )
  .map((records) => sorted(records.map((record) => serviceInstance(record))));

const request = fc.record({
  scope: fc.constantFrom('api', 'web'),
  hashKey: fc.option(fc.string(), { nil: undefined }),
  region: fc.constantFrom(undefined, 'eu', 'mars'),
  zone: fc.constantFrom(undefined, '1', '9'),
});

const stats = fc.record<InstanceStats>({
  picks: fc.nat(),
  requests: fc.nat(3),
  errors: fc.nat(3),
  averageMs: fc.nat(10_000),
  inFlight: fc.nat(50),
  recentMs: fc.nat(10_000),
  recentErrorRate: fc.double({ min: 0, max: 0.999, noNaN: true }),
  peakMs: fc.nat(10_000),
});

/** A new one, whose luck, time and reports are whatever fast-check thinks of. */
const strategyOf = (module: StrategyModule): fc.Arbitrary<BalancingStrategy> =>
  fc
    .record({
      luck: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      steps: fc.infiniteStream(fc.nat(1_000)),
      reports: fc.infiniteStream(stats),
    })
    .map(({ luck, steps, reports }) => {
      let time = 0;
      return module.create({
        random: () => next(luck),
        now: () => (time += next(steps)),
        stats: () => next(reports),
      });
    });

function next<T>(stream: fc.Stream<T>): T {
  return stream.next().value as T;
}

/** What every strategy must do, whatever it prefers. */
export function strategyContract(module: StrategyModule): void {
  describe(`strategy contract: ${module.name}`, () => {
    it('says what it is', () => {
      expect(module.name).toMatch(/^[a-z_]+$/);
      expect(module.summary).toMatch(/\.$/);
    });

    it('picks nobody where there is nobody', () => {
      fc.assert(
        fc.property(strategyOf(module), request, (strategy, from) => {
          expect(strategy.pick([], from)).toBeUndefined();
        }),
      );
    });

    it('picks the only one', () => {
      fc.assert(
        fc.property(strategyOf(module), instances, request, (strategy, [only], from) => {
          fc.pre(only !== undefined);
          expect(strategy.pick([only], from)?.instance).toBe(only);
        }),
      );
    });

    it('picks one of the candidates and says why, while they come and go', () => {
      fc.assert(
        fc.property(
          strategyOf(module),
          fc.array(fc.tuple(instances, fc.array(request, { maxLength: 20 })), { maxLength: 5 }),
          (strategy, rounds) => {
            for (const [candidates, requests] of rounds) {
              for (const from of requests) {
                const choice = strategy.pick(candidates, from);
                expect(candidates.length === 0 || candidates.includes(choice!.instance)).toBe(true);
                if (choice) expect(choice.reason).not.toBe('');
              }
            }
          },
        ),
      );
    });

    it('leaves the candidates as they are', () => {
      fc.assert(
        fc.property(strategyOf(module), instances, request, (strategy, candidates, from) => {
          const before = structuredClone(candidates);
          strategy.pick(candidates, from);
          expect(candidates).toEqual(before);
          expect(() => strategy.pick(frozen(candidates), from)).not.toThrow();
        }),
      );
    });

    it('still picks when every weight is 0', () => {
      fc.assert(
        fc.property(strategyOf(module), instances, request, (strategy, some, from) => {
          fc.pre(some.length > 0);
          const candidates = some.map((each) => serviceInstance({ ...each, weight: 0 }));
          expect(candidates).toContain(strategy.pick(candidates, from)?.instance);
        }),
      );
    });

    it('picks from a thousand', () => {
      const many = sorted(Array.from({ length: 1_000 }, (_, i) => serviceInstance({ serviceId: `api-${i}` })));
      fc.assert(
        fc.property(strategyOf(module), fc.string(), (strategy, hashKey) => {
          expect(many).toContain(strategy.pick(many, { ...REQUEST, hashKey })?.instance);
        }),
        { numRuns: 20 },
      );
    });
  });
}

function sorted(candidates: ServiceInstance[]): ServiceInstance[] {
  return candidates.sort((a, b) => (a.serviceId < b.serviceId ? -1 : 1));
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
