import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HEALTH_STATUSES, type HealthStatus } from '#core';
import { afterProbe, startingAt, type ThresholdLimits, type Thresholds } from './thresholds.js';

const LETTERS: Readonly<Record<string, HealthStatus>> = { p: 'passing', w: 'warning', c: 'critical' };

/** The statuses, as letters, that come of outcomes as letters. */
function run(outcomes: string, limits: Partial<ThresholdLimits> = {}, from: HealthStatus = 'passing'): string {
  let state = startingAt(from);
  return Array.from(outcomes, (letter) => {
    state = afterProbe(state, LETTERS[letter]!, { successBeforePassing: 1, failuresBeforeCritical: 2, ...limits });
    return state.status[0]!;
  }).join('');
}

describe('thresholds', () => {
  it.each([
    ['a failure is warning first, two in a row are critical', 'pcccp', {}, 'pwccp'],
    ['failures that are not in a row never are', 'cpcpcp', {}, 'wpwpwp'],
    ['critical at once, when one failure is enough', 'cp', { failuresBeforeCritical: 1 }, 'cp'],
    ['a complaint ends a run of failures', 'cwcwc', {}, 'wwwww'],
    ['complaints alone never are critical', 'wwwwwwwp', {}, 'wwwwwwwp'],
    ['so many successes recover', 'ccppcppp', { successBeforePassing: 3 }, 'wcccccc' + 'p'],
    ['from warning too', 'cpp', { successBeforePassing: 2 }, 'wwp'],
    ['a passing instance needs no proof', 'ppp', { successBeforePassing: 3 }, 'ppp'],
    ['a critical instance that answers is alive', 'ccww', { successBeforePassing: 2 }, 'wccw'],
    ['answers with complaints are no successes', 'ccpwpp', { successBeforePassing: 2 }, 'wccwwp'],
  ])('%s', (_, outcomes, limits, statuses) => {
    expect(run(outcomes, limits)).toBe(statuses);
  });

  it('goes on from where the registry says it is', () => {
    expect(run('p', {}, 'critical')).toBe('p');
    expect(run('cc', { failuresBeforeCritical: 5 }, 'critical')).toBe('cc');
    expect(run('cc', {}, 'warning')).toBe('wc');
  });

  const limits = fc.record({
    successBeforePassing: fc.integer({ min: 1, max: 5 }),
    failuresBeforeCritical: fc.integer({ min: 1, max: 5 }),
  });
  const outcomes = fc.array(fc.constantFrom(...HEALTH_STATUSES), { maxLength: 40 });

  /** Every state on the way, with the outcomes that led there. */
  function each(
    from: HealthStatus,
    all: readonly HealthStatus[],
    limit: ThresholdLimits,
    look: (state: Thresholds, before: Thresholds, sofar: readonly HealthStatus[]) => void,
  ): void {
    all.reduce((before, outcome, i) => {
      const state = afterProbe(before, outcome, limit);
      look(state, before, all.slice(0, i + 1));
      return state;
    }, startingAt(from));
  }

  /** How many of the last outcomes are among these. */
  function trailing(sofar: readonly HealthStatus[], ...among: HealthStatus[]): number {
    const last = sofar.findLastIndex((outcome) => !among.includes(outcome));
    return sofar.length - 1 - last;
  }

  it('becomes critical exactly by enough failures in a row', () => {
    fc.assert(
      fc.property(outcomes, limits, (all, limit) => {
        each('passing', all, limit, (state, before, sofar) => {
          const became = state.status === 'critical' && before.status !== 'critical';
          const enough = before.status !== 'critical' && trailing(sofar, 'critical') >= limit.failuresBeforeCritical;
          expect(became).toBe(enough);
        });
      }),
    );
  });

  it('becomes passing exactly by enough successes in a row, from wherever it was', () => {
    fc.assert(
      fc.property(outcomes, limits, fc.constantFrom('warning', 'critical'), (all, limit, from: HealthStatus) => {
        each(from, all, limit, (state, before, sofar) => {
          const became = state.status === 'passing' && before.status !== 'passing';
          const enough = before.status !== 'passing' && trailing(sofar, 'passing') >= limit.successBeforePassing;
          expect(became).toBe(enough);
        });
      }),
    );
  });

  it('leaves critical only by enough answers in a row, and never for worse than they were', () => {
    fc.assert(
      fc.property(outcomes, limits, (all, limit) => {
        each('critical', all, limit, (state, before, sofar) => {
          if (before.status !== 'critical') return;
          const enough = trailing(sofar, 'passing', 'warning') >= limit.successBeforePassing;
          expect(state.status !== 'critical').toBe(enough);
        });
      }),
    );
  });

  it('is never passing right after anything but a success', () => {
    fc.assert(
      fc.property(outcomes, limits, fc.constantFrom(...HEALTH_STATUSES), (all, limit, from) => {
        each(from, all, limit, (state, _, sofar) => {
          if (sofar.at(-1) !== 'passing') expect(state.status).not.toBe('passing');
        });
      }),
    );
  });
});
