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
});
