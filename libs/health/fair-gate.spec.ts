import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BRIEF_MS, FairGate } from './fair-gate.js';

describe('fair gate', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  /** Tasks that say when they run, and end when they are told to. */
  function tasks(gate: FairGate) {
    const running = new Map<string, () => void>();
    const all: Promise<void>[] = [];
    const order: string[] = [];
    return {
      running,
      order,
      add(lane: string, name: string) {
        all.push(
          gate.run({ lane, doubtful: lane === 'dead' }, () => {
            order.push(name);
            return new Promise((resolve) => running.set(name, resolve));
          }),
        );
      },
      async end(name: string) {
        running.get(name)!();
        running.delete(name);
        await jest.advanceTimersByTimeAsync(0);
      },
      async endAll() {
        while (running.size > 0) for (const name of running.keys()) await this.end(name);
        await Promise.all(all);
      },
    };
  }

  it('lets in so many at once, and the next when one has ended', async () => {
    const work = tasks(new FairGate({ places: 2, total: 2 }));
    for (const name of ['a', 'b', 'c', 'd']) work.add('lane', name);
    expect([...work.running.keys()]).toEqual(['a', 'b']);
    await work.end('b');
    expect([...work.running.keys()]).toEqual(['a', 'c']);
    await work.end('a');
    expect([...work.running.keys()]).toEqual(['c', 'd']);
    await work.endAll();
  });

  it('lets the lane in that has the fewest running', async () => {
    const work = tasks(new FairGate({ places: 4, total: 4 }));
    for (let i = 0; i < 8; i++) work.add('hanging', `h${i}`);
    for (let i = 0; i < 8; i++) work.add('quick', `q${i}`);
    expect([...work.running.keys()]).toEqual(['h0', 'h1', 'h2', 'h3']);
    await work.end('h0');
    await work.end('h1');
    for (let i = 0; i < 7; i++) await work.end(`q${i}`);
    // Half of the places hang, and quick goes on in the other half.
    expect(work.order).toEqual(['h0', 'h1', 'h2', 'h3', 'q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7', 'h4']);
    await work.endAll();
  });

  it('lets lanes in by turns', async () => {
    const work = tasks(new FairGate({ places: 1, total: 1 }));
    work.add('x', 'first');
    for (const name of ['a0', 'a1', 'b0', 'b1', 'c0', 'c1']) work.add(name[0]!, name);
    for (const name of ['first', 'a0', 'b0', 'c0', 'a1', 'b1', 'c1']) await work.end(name);
    expect(work.order).toEqual(['first', 'a0', 'b0', 'c0', 'a1', 'b1', 'c1']);
  });

  it('gives the places of those that take long to others, up to the total', async () => {
    const work = tasks(new FairGate({ places: 2, total: 5 }));
    for (let i = 0; i < 8; i++) work.add(`${i}`, `${i}`);
    await jest.advanceTimersByTimeAsync(BRIEF_MS - 1);
    expect(work.order).toEqual(['0', '1']);
    await jest.advanceTimersByTimeAsync(1);
    expect(work.order).toEqual(['0', '1', '2', '3']);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(work.order).toEqual(['0', '1', '2', '3', '4']);
    await work.end('0');
    expect(work.order).toEqual(['0', '1', '2', '3', '4', '5']);
    await work.endAll();
  });

  it('keeps half of the total from what is likely to hang', async () => {
    const work = tasks(new FairGate({ places: 4, total: 4 }));
    for (let i = 0; i < 4; i++) work.add('dead', `d${i}`);
    for (let i = 0; i < 3; i++) work.add('good', `g${i}`);
    expect([...work.running.keys()]).toEqual(['d0', 'd1', 'g0', 'g1']);
    await work.end('g0');
    expect(work.order.at(-1)).toBe('g2');
    await work.end('d0');
    expect(work.order.at(-1)).toBe('d2');
    await work.endAll();
  });

  it('frees the place of a task that fails', async () => {
    const gate = new FairGate({ places: 1, total: 1 });
    await expect(gate.run({ lane: 'a', doubtful: false }, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    await expect(gate.run({ lane: 'a', doubtful: false }, async () => 'fine')).resolves.toBe('fine');
  });
});
