import { describe, expect, it, jest } from '@jest/globals';
import type { StrategyModule } from '#core';
import { Balancer, UnknownStrategyError } from './balancer.js';
import { named } from './testing/harness.js';

const candidates = named('a', 'b', 'c');
const request = { scope: 'api' };

describe('Balancer', () => {
  it('picks by round robin unless told otherwise', () => {
    const balancer = new Balancer();
    const ids = Array.from({ length: 3 }, () => balancer.pick(undefined, candidates, request)?.instance.serviceId);
    expect(ids.sort()).toEqual(['a', 'b', 'c']);
    expect(new Balancer({ defaultStrategy: 'random' }).pick(undefined, candidates, request)?.reason).toMatch('random');
  });

  it('has nobody to pick where there is nobody', () => {
    for (const name of new Balancer().names) expect(new Balancer().pick(name, [], request)).toBeUndefined();
  });

  it('counts a pick as in flight until it is done', () => {
    const balancer = new Balancer();
    const pick = balancer.pick('least_connections', candidates, request)!;
    expect(balancer.recorder.stats(pick.instance).inFlight).toBe(1);
    pick.done({ ok: false, durationMs: 7 });
    expect(balancer.recorder.stats(pick.instance)).toMatchObject({ inFlight: 0, errors: 1, averageMs: 7 });
  });

  it('says what is allowed when it does not know a strategy', () => {
    const allowed = new Balancer().names;
    expect(() => new Balancer().pick('fastest', candidates, request)).toThrow(UnknownStrategyError);
    expect(() => new Balancer().pick('constructor', candidates, request)).toThrow(
      `unknown strategy "constructor"; allowed are ${allowed.join(', ')}`,
    );
    expect(() => new Balancer({ defaultStrategy: 'fastest' })).toThrow(UnknownStrategyError);
  });

  it('takes a strategy from outside, makes it once and only when it is asked for', () => {
    const create = jest.fn<StrategyModule['create']>(() => ({
      pick: ([first]) => first && { instance: first, reason: 'the first' },
    }));
    const first: StrategyModule = { name: 'first', summary: 'The first.', create };
    const balancer = new Balancer({ strategies: [first], defaultStrategy: 'first' });
    expect(create).not.toHaveBeenCalled();
    balancer.pick('first', candidates, request);
    expect(balancer.pick(undefined, candidates, request)?.instance).toBe(candidates[0]);
    expect(create).toHaveBeenCalledTimes(1);
    expect(() => new Balancer({ strategies: [first, first], defaultStrategy: 'first' })).toThrow('called first');
  });
});
