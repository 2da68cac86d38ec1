import { describe, expect, it } from '@jest/globals';
import { NO_FILTER } from '#core';
import { fleet } from '../testing/harness.js';
import { explainSelection, selectCandidates } from './candidates.js';

const INSTANCES = fleet({
  a: { tags: ['v1'] },
  b: { tags: ['v1'], probed: 'critical' },
  c: { tags: ['v2'], probed: 'warning' },
  d: { tags: ['v1'], maintenance: { reason: 'disk' } },
});
const NOBODY = new Set<string>();

function candidates(over: Partial<Parameters<typeof selectCandidates>[1]> = {}): string[] {
  return selectCandidates(INSTANCES, { filter: NO_FILTER, exclude: NOBODY, ...over }).map((each) => each.serviceId);
}

describe('candidates', () => {
  it('are the healthy ones, whether the filter says so or not', () => {
    expect(candidates()).toEqual(['a', 'c']);
  });

  it('match the filter and are not excluded', () => {
    expect(candidates({ filter: { ...NO_FILTER, tags: ['v2'] } })).toEqual(['c']);
    expect(candidates({ exclude: new Set(['a', 'unknown']) })).toEqual(['c']);
    expect(candidates({ exclude: new Set(['a', 'c']) })).toEqual([]);
  });

  it('are the very array when nobody is left out', () => {
    const healthy = INSTANCES.slice(0, 1);
    expect(selectCandidates(healthy, { filter: NO_FILTER, exclude: NOBODY })).toBe(healthy);
  });

  it('are what is not explained away', () => {
    expect(explainSelection(INSTANCES, { filter: { ...NO_FILTER, tags: ['v1'] }, exclude: new Set(['a']) })).toEqual([
      { service_id: 'a', reason: 'excluded by the caller' },
      { service_id: 'b', reason: 'is critical' },
      { service_id: 'c', reason: 'lacks tag v1' },
      { service_id: 'd', reason: 'is in maintenance' },
    ]);
  });
});
