import { describe, expect, it } from '@jest/globals';
import { FairGate } from './fair-gate.js';

describe('fair gate', () => {
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
          gate.run(lane, () => {
            order.push(name);
            return new Promise((resolve) => running.set(name, resolve));
          }),
        );
      },
      async end(name: string) {
        running.get(name)!();
        running.delete(name);
        await new Promise(setImmediate);
      },
      ended: () => Promise.all(all),
    };
  }

  it('lets in so many at once, and the next when one has ended', async () => {
    const work = tasks(new FairGate(2));
    for (const name of ['a', 'b', 'c', 'd']) work.add('lane', name);
    expect([...work.running.keys()]).toEqual(['a', 'b']);
    await work.end('b');
    expect([...work.running.keys()]).toEqual(['a', 'c']);
    await work.end('a');
    await work.end('c');
    await work.end('d');
    await work.ended();
  });

  it('lets the lane in that has the fewest running', async () => {
    const work = tasks(new FairGate(4));
    for (let i = 0; i < 8; i++) work.add('hanging', `h${i}`);
    for (let i = 0; i < 8; i++) work.add('quick', `q${i}`);
    expect([...work.running.keys()]).toEqual(['h0', 'h1', 'h2', 'h3']);
    await work.end('h0');
    await work.end('h1');
    for (let i = 0; i < 7; i++) await work.end(`q${i}`);
    // Half of the places hang, and quick goes on in the other half.
    expect(work.order).toEqual(['h0', 'h1', 'h2', 'h3', 'q0', 'q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7', 'h4']);
  });

  it('lets lanes in by turns', async () => {
    const work = tasks(new FairGate(1));
    work.add('x', 'first');
    for (const name of ['a0', 'a1', 'b0', 'b1', 'c0', 'c1']) work.add(name[0]!, name);
    for (const name of ['first', 'a0', 'b0', 'c0', 'a1', 'b1', 'c1']) await work.end(name);
    expect(work.order).toEqual(['first', 'a0', 'b0', 'c0', 'a1', 'b1', 'c1']);
  });

  it('frees the place of a task that fails', async () => {
    const gate = new FairGate(1);
    await expect(gate.run('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run('a', async () => 'fine')).resolves.toBe('fine');
  });
});
