import { describe, expect, it } from '@jest/globals';
import { fleet, Harness, tally } from '../testing/harness.js';
import { geographic } from './geographic.js';

const EVERYWHERE = fleet({
  a: { region: 'eu', zone: '1' },
  b: { region: 'eu', zone: '1' },
  c: { region: 'eu', zone: '2' },
  d: { region: 'us', zone: '1' },
  e: { metadata: { region: 'us', zone: '3' } },
  f: {},
});

function among(request: { region?: string; zone?: string }, candidates = EVERYWHERE): Record<string, number> {
  return tally(new Harness(geographic).picks(12, candidates, request));
}

describe('geographic', () => {
  it('stays in the zone', () => {
    expect(among({ region: 'eu', zone: '1' })).toEqual({ a: 6, b: 6 });
  });

  it('tells zones of the same name in two regions apart, where the caller says its region', () => {
    expect(among({ region: 'us', zone: '1' })).toEqual({ d: 12 });
    expect(among({ zone: '1' })).toEqual({ a: 4, b: 4, d: 4 });
  });

  it('goes to the region when nobody is in the zone', () => {
    expect(among({ region: 'eu', zone: '9' })).toEqual({ a: 4, b: 4, c: 4 });
    expect(among({ region: 'us' })).toEqual({ d: 6, e: 6 });
  });

  it('goes anywhere when nobody is in the region, or the caller does not say where it is', () => {
    const anywhere = { a: 2, b: 2, c: 2, d: 2, e: 2, f: 2 };
    expect(among({ region: 'mars', zone: '9' })).toEqual(anywhere);
    expect(among({})).toEqual(anywhere);
  });

  it('follows the zone as it empties and fills', () => {
    const harness = new Harness(geographic);
    const here = { region: 'eu', zone: '2' };
    expect(harness.pick(EVERYWHERE, here).serviceId).toBe('c');
    const without = EVERYWHERE.filter(({ serviceId }) => serviceId !== 'c');
    expect(tally(harness.picks(4, without, here))).toEqual({ a: 2, b: 2 });
    expect(harness.pick(EVERYWHERE, here).serviceId).toBe('c');
  });

  it('lets callers of two places not disturb the turns of each other', () => {
    const harness = new Harness(geographic);
    const picks: string[] = [];
    for (let i = 0; i < 10; i++) {
      picks.push(harness.pick(EVERYWHERE, { region: 'eu', zone: '1' }).serviceId);
      harness.pick(EVERYWHERE, { region: 'us' });
    }
    expect(tally(picks)).toEqual({ a: 5, b: 5 });
  });

  it('serves more places than it remembers', () => {
    const harness = new Harness(geographic);
    const places = Array.from({ length: 1_000 }, (_, i) => ({ region: 'eu', zone: `${i}` }));
    for (const place of places) expect(['a', 'b', 'c']).toContain(harness.pick(EVERYWHERE, place).serviceId);
  });

  it('remembers the nearest of so many places as hold a million candidates together', () => {
    let looked = 0;
    const [watched, ...others] = fleet(
      Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`id-${i}`, { region: 'eu', zone: '1' }])),
    );
    Object.defineProperty(watched, 'zone', { get: () => (looked++, '1') });
    const candidates = [watched!, ...others];
    const harness = new Harness(geographic);
    /** Whether the candidates were searched for this place. */
    const searches = (zone: string) => {
      looked = 0;
      harness.pick(candidates, { region: 'eu', zone });
      return looked > 0;
    };
    expect([searches('first'), searches('first')]).toEqual([true, false]);
    for (let i = 0; i < 40; i++) searches(`other ${i}`);
    expect(searches('first')).toBe(false);
    for (let i = 0; i < 50; i++) searches(`another ${i}`);
    expect(searches('first')).toBe(true);
  });
});
