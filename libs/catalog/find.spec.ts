import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keyOf, keyText, matches, NO_FILTER, type InstanceFilter, type ServiceInstance } from '#core';
import { instance, World } from './testing/world.js';

const word = fc.constantFrom('x', 'y', 'z');
const words = fc.uniqueArray(word, { maxLength: 3 });
const metadata = fc.dictionary(word, word, { maxKeys: 3 });

const change = fc.record({
  kind: fc.constantFrom('upsert', 'upsert', 'upsert', 'remove', 'expire'),
  serviceName: fc.constantFrom('api', 'web', 'db'),
  serviceId: fc.constantFrom('1', '2', '3', '10'),
  tags: words,
  metadata,
  status: fc.constantFrom('passing', 'critical'),
  zone: fc.option(word, { nil: undefined }),
});

const filter: fc.Arbitrary<InstanceFilter> = fc.record({
  tags: words,
  withoutTags: words,
  metadata: fc.array(fc.tuple(word, word), { maxLength: 2 }),
  healthyOnly: fc.boolean(),
  region: fc.constant(undefined),
  zone: fc.option(word, { nil: undefined }),
});

/** What a look at each instance finds. */
function bruteForce(all: readonly ServiceInstance[], wanted: InstanceFilter): string[] {
  const found = all.filter((each) => matches(each, wanted)).map(keyOf);
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return found.sort((a, b) => order(a.serviceName, b.serviceName) || order(a.serviceId, b.serviceId)).map(keyText);
}

describe('finding instances', () => {
  it('finds what a look at each of them finds, whatever has happened before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), filter, (changes, wanted) => {
        // Held ones are found as well: some are when two of three expire.
        const { catalog } = new World({ massLoss: { min: 2, share: 0.5, holdMs: 1_000 } });
        changes.forEach(({ kind, ...declared }, i) => {
          const made = instance(declared.serviceId, i + 1, declared);
          if (kind === 'upsert') catalog.apply({ kind: 'upsert', instance: made });
          else {
            const cause = kind === 'remove' ? 'deregistered' : 'expired';
            catalog.apply({ kind: 'remove', key: keyOf(made), version: made.version, cause });
          }
        });
        const all = [...catalog.all()].map((entry) => entry.instance);
        const found = (by: InstanceFilter) =>
          [...catalog.find(by).values()].flatMap((entries) => entries.map((entry) => keyText(entry.instance)));
        expect(found(wanted)).toEqual(bruteForce(all, wanted));
        expect(found(NO_FILTER)).toEqual(bruteForce(all, NO_FILTER));
        const byName = catalog.serviceNames().flatMap((name) => catalog.instances(name) ?? []);
        expect(byName.map((entry) => keyText(entry.instance))).toEqual(found(NO_FILTER));
        for (const id of ['1', '2', '3', '10']) {
          const byId = catalog.byId(id).map((entry) => keyText(entry.instance));
          expect(byId.sort()).toEqual(
            all
              .filter(({ serviceId }) => serviceId === id)
              .map(keyText)
              .sort(),
          );
        }
        expect(catalog.heldInstances).toBe([...catalog.all()].filter(({ hold }) => hold).length);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same array until the service changes', async () => {
    const { catalog } = await World.with([instance('a', 1), instance('w', 2, { serviceName: 'web' })]);
    const before = catalog.instances('api');
    catalog.observe(keyOf(instance('a', 1)), { loadPercentage: 0.5 });
    catalog.apply({ kind: 'upsert', instance: instance('v', 11, { serviceName: 'web' }) });
    expect(catalog.instances('api')).toBe(before);
    catalog.apply({ kind: 'upsert', instance: instance('b', 12) });
    expect(catalog.instances('api')).not.toBe(before);
    expect(catalog.instances('nobody')).toBeUndefined();
  });
});
