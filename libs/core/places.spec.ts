import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Places } from './index.js';

describe('places', () => {
  it('are taken by so many at once, and by the next in the order of asking', async () => {
    const places = new Places(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      places.take(() => {
        begun.push(n);
        return new Promise<number>((resolve) => (ends[n] = () => resolve(n)));
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]!();
    await all[1];
    expect(begun).toEqual([0, 1, 2]);
    ends[0]!();
    await all[0];
    ends[2]!();
    ends[3]!();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('are free again after a failure', async () => {
    const places = new Places(1);
    await expect(places.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await places.take(() => Promise.resolve(1))).toBe(1);
  });

  it('are not taken by who has left the queue', async () => {
    const places = new Places(1);
    const leaving = new AbortController();
    let end!: () => void;
    const first = places.take(() => new Promise<void>((resolve) => (end = resolve)));
    const second = places.take(() => Promise.reject(new Error('never begun')), leaving.signal);
    const third = places.take(() => Promise.resolve(3));
    leaving.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    end();
    await first;
    expect(await third).toBe(3);
    await expect(places.take(() => Promise.resolve(4), leaving.signal)).rejects.toThrow('left');
  });

  it('are waited for by many with one signal, which has one listener', async () => {
    const places = new Places(1);
    const leaving = new AbortController();
    let end!: () => void;
    const first = places.take(() => new Promise<void>((resolve) => (end = resolve)));
    const others = Array.from({ length: 20 }, (_, n) => places.take(() => Promise.resolve(n), leaving.signal));
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1);
    end();
    await Promise.all([first, ...others]);
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0);
  });
});
