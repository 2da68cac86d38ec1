import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Harness, named, tally } from '../testing/harness.js';
import { roundRobin } from './round-robin.js';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe('round_robin', () => {
  it('goes round in order of the ids', () => {
    const picks = new Harness(roundRobin).picks(7, named('a', 'b', 'c')).join('');
    expect('abcabcabcabc').toContain(picks);
  });

  it('begins anywhere, so that many clients do not all begin with the same', () => {
    const first = Array.from({ length: 300 }, (_, seed) => new Harness(roundRobin, seed).pick(named('a', 'b', 'c')));
    for (const count of Object.values(tally(first.map(({ serviceId }) => serviceId))))
      expect(count).toBeGreaterThan(60);
  });

  it('gives those that stay the same number of turns, give or take one, whoever comes and goes meanwhile', () => {
    const rounds = fc.array(fc.record({ others: fc.subarray(IDS.slice(3)), picks: fc.nat(9) }), { maxLength: 30 });
    fc.assert(
      fc.property(rounds, fc.nat(), (all, seed) => {
        const harness = new Harness(roundRobin, seed);
        const counts = tally(
          all.flatMap(({ others, picks }) => harness.picks(picks, named('b', 'd0', 'z', ...others))),
        );
        const staying = ['b', 'd0', 'z'].map((id) => counts[id] ?? 0);
        expect(Math.max(...staying) - Math.min(...staying)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives nobody two turns while another that stays waits', () => {
    const steps = fc.array(fc.subarray(IDS, { minLength: 1 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.nat(), (sets, seed) => {
        const harness = new Harness(roundRobin, seed);
        const picks = sets.map((set) => harness.pick(named(...set)).serviceId);
        for (let from = 0; from < sets.length; from++) {
          const again = picks.indexOf(picks[from]!, from + 1);
          if (again < 0) continue;
          const stayed = IDS.filter((id) => sets.slice(from, again + 1).every((set) => set.includes(id)));
          expect(picks.slice(from, again)).toEqual(expect.arrayContaining(stayed.includes(picks[from]!) ? stayed : []));
        }
      }),
    );
  });

  it('counts for each scope apart', () => {
    const harness = new Harness(roundRobin);
    const two = named('a', 'b');
    const web: string[] = [];
    const api: string[] = [];
    for (let i = 0; i < 10; i++) {
      web.push(harness.pick(two, { scope: 'web' }).serviceId);
      api.push(harness.pick(two, { scope: 'api' }).serviceId);
    }
    expect(tally(web)).toEqual({ a: 5, b: 5 });
    expect(tally(api)).toEqual({ a: 5, b: 5 });
  });
});
