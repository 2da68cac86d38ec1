import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TimerWheel, type Scheduled } from './timer-wheel.js';

describe('timer wheel', () => {
  let wheel: TimerWheel;
  let ran: [name: string, at: number][];

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000 });
    wheel = new TimerWheel(() => Date.now(), 50, 16);
    ran = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  function schedule(name: string, at: number): Scheduled {
    return wheel.schedule(at, () => ran.push([name, Date.now()]));
  }

  it('runs what is due at the next tick, never early, turns ahead too', () => {
    schedule('past', 0);
    schedule('soon', 1_010);
    schedule('exact', 1_100);
    schedule('far', 1_000 + 50 * 16 * 3 + 1);
    jest.advanceTimersByTime(5_000);
    expect(ran).toEqual([
      ['past', 1_000],
      ['soon', 1_050],
      ['exact', 1_100],
      ['far', 3_450],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has one timer, and none with nothing to do', () => {
    expect(jest.getTimerCount()).toBe(0);
    const all = Array.from({ length: 100 }, (_, i) => schedule(`${i}`, 1_000 + i * 10));
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(200);
    expect(jest.getTimerCount()).toBe(1);
    for (const each of all) wheel.cancel(each);
    jest.advanceTimersByTime(2_000);
    expect(jest.getTimerCount()).toBe(0);
    expect(ran).toHaveLength(21);
  });

  it('forgets everything', () => {
    schedule('never', 1_100);
    wheel.clear();
    expect(jest.getTimerCount()).toBe(0);
    schedule('after', 1_200);
    jest.advanceTimersByTime(1_000);
    expect(ran).toEqual([['after', 1_200]]);
  });

  it('runs what is scheduled while it turns at a later tick, and not what is cancelled meanwhile', () => {
    const victim = schedule('victim', 1_100);
    wheel.schedule(1_090, () => {
      schedule('again', 0);
      wheel.cancel(victim);
    });
    // In the same tick and after it in the same slot.
    wheel.cancel(victim);
    const second = schedule('victim', 1_100);
    wheel.schedule(1_050, () => wheel.cancel(second));
    jest.advanceTimersByTime(1_000);
    expect(ran).toEqual([['again', 1_150]]);
  });

  it('runs everything once after a stall of many turns', () => {
    let stall = 0;
    wheel = new TimerWheel(() => Date.now() + stall, 50, 16);
    for (let i = 0; i < 100; i++) schedule(`${i}`, 1_000 + i * 37);
    stall = 60_000;
    jest.advanceTimersByTime(100);
    expect(ran.map(([name]) => name).toSorted()).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`).toSorted());
  });

  it('runs each of any times once, within a tick', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 })), (delays) => {
        ran = [];
        const start = Date.now();
        delays.forEach((delay) => schedule(`${start + delay}`, start + delay));
        jest.advanceTimersByTime(10_100);
        expect(ran).toHaveLength(delays.length);
        for (const [due, at] of ran) {
          expect(at - Number(due)).toBeGreaterThanOrEqual(0);
          expect(at - Number(due)).toBeLessThanOrEqual(51);
        }
      }),
      { numRuns: 30 },
    );
  });
});
