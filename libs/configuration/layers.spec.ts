import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '#core';
import { mergeLayers, type Layer } from './layers.js';

function layers(...configs: JsonObject[]): Layer[] {
  return configs.map((config, i) => ({ name: (['base', 'environment', 'service'] as const)[i]!, version: 1, config }));
}

describe('layers', () => {
  // Appendix A of RFC 7396, as far as both sides are objects.
  it.each<[JsonObject, JsonObject, JsonObject]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ a: 'foo' }, { b: null }, { a: 'foo' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j under %j is %j', (under, over, merged) => {
    expect(mergeLayers(layers(under, over)).config).toEqual(merged);
  });

  it('say of each value where it is from', () => {
    const { config, sources } = mergeLayers(
      layers(
        { db: { host: 'a', port: 1, tls: true }, list: [1, 2], 'a/b~c': 1, empty: {} },
        { db: { port: 2 }, list: [3], extra: { deep: { x: 1 } } },
        { db: { tls: null, user: 'u' }, extra: { deep: { y: 2 } }, toString: 'own' },
      ),
    );
    expect(config).toEqual({
      db: { host: 'a', port: 2, user: 'u' },
      list: [3],
      'a/b~c': 1,
      empty: {},
      extra: { deep: { x: 1, y: 2 } },
      toString: 'own',
    });
    expect(sources).toEqual({
      '/db/host': 'base',
      '/db/port': 'environment',
      '/db/user': 'service',
      '/list': 'environment',
      '/a~1b~0c': 'base',
      '/empty': 'base',
      '/extra/deep/x': 'environment',
      '/extra/deep/y': 'service',
      '/toString': 'service',
    });
  });

  it('leave what they are made of as it is', () => {
    const base = { a: { b: 1 } };
    mergeLayers(layers(base, { a: { c: 2 } }));
    expect(base).toEqual({ a: { b: 1 } });
  });
});
