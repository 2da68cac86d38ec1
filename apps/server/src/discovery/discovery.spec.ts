import { beforeEach, describe, expect, it } from '@jest/globals';
import { NO_FILTER, type InstanceFilter, type ServiceInstance } from '#core';
import { serviceInstance } from '#core/testing';
import { Balancer } from '#balancing';
import type { Catalog, CatalogEntry } from '#catalog';
import { Discovery } from './discovery.js';

const SIZE = 10_000;

describe('the candidates that are kept ready', () => {
  let entries: readonly CatalogEntry[];
  let revision: number;
  let given: readonly ServiceInstance[];
  let discovery: Discovery;

  beforeEach(() => {
    entries = Array.from({ length: SIZE }, (_, i) => ({
      instance: serviceInstance({ serviceId: `api-${SIZE + i}`, tags: [`tag-${i}`, 'all'] }),
    }));
    revision = 1;
    const balancer = new Balancer({
      defaultStrategy: 'spy',
      strategies: [
        {
          name: 'spy',
          summary: 'Shows what it is given.',
          create: () => ({
            pick: (candidates) => {
              given = candidates;
              return { instance: candidates[0]!, reason: 'the first' };
            },
          }),
        },
      ],
    });
    const catalog = { instances: () => entries, revisionOf: () => revision };
    discovery = new Discovery(catalog as unknown as Catalog, balancer, 'own');
  });

  function candidates(filter: Partial<InstanceFilter>, exclude: readonly string[] = []): readonly ServiceInstance[] {
    const wish = Object.keys(filter).length === 0 ? NO_FILTER : { ...NO_FILTER, ...filter };
    discovery.all.pick('api', { filter: wish, exclude: new Set(exclude) });
    return given;
  }

  const allBut = (i: number) => candidates({ withoutTags: [`tag-${i}`] });

  it('are the same array until the service changes', () => {
    const before = allBut(0);
    expect(before).toHaveLength(SIZE - 1);
    expect(allBut(0)).toBe(before);
    revision++;
    expect(allBut(0)).not.toBe(before);
  });

  it('are one array for all filters that leave nobody out', () => {
    const all = candidates({});
    expect(candidates({ tags: ['all'] })).toBe(all);
    expect(candidates({ withoutTags: ['none'] })).toBe(all);
    revision++;
    entries = [...entries];
    expect(candidates({ tags: ['all'] })).not.toBe(all);
  });

  it('are a million at most, whatever the filters', () => {
    const first = allBut(0);
    for (let i = 1; i < 99; i++) allBut(i);
    expect(allBut(0)).toBe(first);
    for (let i = 1; i < 101; i++) allBut(i);
    expect(allBut(0)).not.toBe(first);
  });

  it('are without those that the caller excludes, for that caller alone', () => {
    const before = allBut(0);
    expect(candidates({ withoutTags: ['tag-0'] }, [`api-${SIZE + 1}`])).toHaveLength(SIZE - 2);
    expect(allBut(0)).toBe(before);
  });
});
