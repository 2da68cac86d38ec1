import { describe, expect, it } from '@jest/globals';
import { Caller } from './caller.js';
import { readRules } from './rules.js';

function rules(...list: readonly object[]) {
  return readRules(JSON.stringify({ rules: list }));
}

const EVERYBODY = { callers: ['*'], role: 'registrar', services: ['web'] };
const web = (serviceId: string, tags: string[] = []) => ({ serviceName: 'web', serviceId, tags });

describe('rules', () => {
  it('are for whom they name, and add up', () => {
    const of = rules(
      { callers: ['api-key:a-*', 'jwt:a'], role: 'reader', services: ['x'] },
      { callers: ['api-key:*'], role: 'operator', services: ['y'] },
    );
    expect(of('api-key:a-1', 'a-1').map(({ role }) => role)).toEqual(['reader', 'operator']);
    expect(of('jwt:a', 'a').map(({ role }) => role)).toEqual(['reader']);
    // A name of one scheme is none of another, whatever stands in it.
    expect(of('jwt:api-key:a-1', 'api-key:a-1')).toEqual([]);
  });

  it.each([
    ['pod-1', 'pod-1', true],
    ['ns/default/pod-1', 'pod-1', true],
    ['pod-1', 'pod-2', false],
    ['*', 'pod-2', false],
    ['pod-*', 'pod-2', false],
    ['ns/', 'pod-2', false],
    ['$&', 'x', false],
  ])('give %s no instance but its own: %s, %s', (identity, id, may) => {
    const caller = new Caller('x', rules({ ...EVERYBODY, instances: ['{caller}'] })('x:y', identity));
    expect(caller.mayWith(web(id), 'registrar')).toBe(may);
  });

  it.each([
    ['a misspelt member', { ...EVERYBODY, service: ['x'] }],
    ['no caller', { ...EVERYBODY, callers: [] }],
    ['no service', { ...EVERYBODY, services: [] }],
    ['an empty pattern', { ...EVERYBODY, services: [''] }],
    ['a role that there is not', { ...EVERYBODY, role: 'peer' }],
  ])('are refused with %s', (_, rule) => {
    expect(() => rules(rule)).toThrow();
  });
});

describe('what a caller may see', () => {
  const seenBy = (...list: readonly object[]) => new Caller('x', rules(...list)('x:y', 'y')).visibility;

  it('has the same key for the same, however it is written, and another for anything else', () => {
    const key = seenBy(EVERYBODY).key;
    expect(seenBy({ ...EVERYBODY, role: 'admin', services: ['WEB', 'web'] }, EVERYBODY).key).toBe(key);
    const others = [
      seenBy(),
      seenBy({ ...EVERYBODY, tags: ['t'] }),
      seenBy({ ...EVERYBODY, instances: ['t'] }),
      seenBy({ ...EVERYBODY, services: ['t'] }),
      seenBy({ ...EVERYBODY, services: ['*'], tags: ['t'] }),
      seenBy({ ...EVERYBODY, services: ['*'] }),
    ].map((visibility) => visibility.key);
    expect(new Set([key, ...others]).size).toBe(7);
    expect(seenBy(EVERYBODY, { ...EVERYBODY, services: ['x', '*'] })).toMatchObject({ key: 'all', all: true });
  });

  it('is all of a service only without a condition', () => {
    const visibility = seenBy({ ...EVERYBODY, tags: ['t'] });
    expect([visibility.seesAllOf('web'), visibility.sees(web('a', ['t'])), visibility.sees(web('a'))]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
