import { describe, expect, it } from '@jest/globals';
import { Turns } from './index.js';

describe('turns', () => {
  it('come in the order of asking, one at a time of each key', async () => {
    const turns = new Turns();
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} begins`);
      await Promise.resolve();
      events.push(`${name} ends`);
      return name;
    };
    const names = await Promise.all([
      turns.take('a', work('first')),
      turns.take('a', work('second')),
      turns.take('b', work('other')),
    ]);
    expect(names).toEqual(['first', 'second', 'other']);
    expect(events.filter((event) => !event.startsWith('other'))).toEqual([
      ...['first begins', 'first ends', 'second begins', 'second ends'],
    ]);
    expect(events.indexOf('other begins')).toBeLessThan(events.indexOf('first ends'));
  });

  it('come after one that has failed too', async () => {
    const turns = new Turns();
    const failing = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', () => Promise.resolve(1));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(1);
  });

  it('do not come to those who wait no more, and who comes after those still waits', async () => {
    const turns = new Turns();
    const aborter = new AbortController();
    const events: string[] = [];
    let end!: () => void;
    const first = turns.take('a', () => new Promise<void>((resolve) => (end = resolve)));
    const second = turns.take('a', async () => void events.push('second'), aborter.signal);
    const third = turns.take('a', async () => void events.push('third'));
    aborter.abort(new Error('not done within 1 ms'));
    await expect(second).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'not done within 1 ms' });
    expect(events).toEqual([]);
    end();
    await Promise.all([first, third]);
    expect(events).toEqual(['third']);
  });
});
