import type { LookupAddress } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NameLookup, type Lookup } from './name-lookup.js';

describe('lookup of names', () => {
  /** Those under way at the system's resolver, by name. */
  let underway: Map<string, Parameters<Lookup>[2]>;
  let asked: string[];
  let names: NameLookup;

  beforeEach(() => {
    jest.useFakeTimers();
    underway = new Map();
    asked = [];
    names = new NameLookup({
      threads: 2,
      monotonic: () => Date.now(),
      lookup: (hostname, _, callback) => {
        asked.push(hostname);
        underway.set(hostname, callback);
      },
    });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** What was answered so far. */
  function look(hostname: string): unknown[] {
    const answers: unknown[] = [];
    names.lookup(hostname, { all: true }, (error, addresses) => {
      answers.push(error?.name ?? addresses[0]?.address);
    });
    return answers;
  }

  function answer(hostname: string, address?: string): void {
    const callback = underway.get(hostname)!;
    underway.delete(hostname);
    const found: LookupAddress[] = address === undefined ? [] : [{ address, family: 4 }];
    callback(address === undefined ? Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN' }) : null, found);
  }

  async function known(hostname: string, address: string, tookMs = 0): Promise<void> {
    look(hostname);
    await jest.advanceTimersByTimeAsync(tookMs);
    answer(hostname, address);
    await jest.advanceTimersByTimeAsync(Math.max(2_000, tookMs));
  }

  it('is one for all who ask, and good for two seconds', async () => {
    const answers = [look('a'), look('a')];
    answer('a', '10.0.0.1');
    await jest.advanceTimersByTimeAsync(1_999);
    answers.push(look('a'));
    await jest.advanceTimersByTimeAsync(0);
    expect(answers).toEqual([['10.0.0.1'], ['10.0.0.1'], ['10.0.0.1']]);
    expect(asked).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(1);
    look('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('leaves quick names their threads, however many hang', async () => {
    await known('good', '10.0.0.1');
    for (let i = 0; i < 10; i++) look(`dead${i}`);
    const good = look('good');
    expect([...underway.keys()]).toEqual(['dead0', 'good']);
    answer('good', '10.0.0.2');
    expect(good).toEqual(['10.0.0.2']);
  });

  it('does not blame a name for our queue, but for its own lookup', async () => {
    const [hangs, waits] = [look('hangs'), look('waits')];
    await jest.advanceTimersByTimeAsync(30_000);
    expect(waits).toEqual(['LookupQueued']);
    expect(hangs).toEqual([]);
    answer('hangs');
    expect(hangs).toEqual(['Error']);
    expect([...underway.keys()]).toEqual(['waits']);
  });

  it('goes on with what was known when it hangs', async () => {
    await known('a', '10.0.0.1');
    const again = look('a');
    await jest.advanceTimersByTimeAsync(249);
    expect(again).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(again).toEqual(['10.0.0.1']);
    answer('a', '10.0.0.2');
    expect(again).toEqual(['10.0.0.1']);
  });

  it('asks a slow name less often, and after those that it does not know', async () => {
    look('slow');
    await jest.advanceTimersByTimeAsync(10_000);
    answer('slow');
    await jest.advanceTimersByTimeAsync(9_999);
    look('slow');
    expect(asked).toEqual(['slow']);
    await jest.advanceTimersByTimeAsync(1);
    for (const name of ['other', 'slow', 'new']) look(name);
    answer('other', '10.0.0.1');
    answer('new', '10.0.0.2');
    expect(asked).toEqual(['slow', 'other', 'new', 'slow']);
  });

  it('keeps no more names than ten thousand waiting', async () => {
    look('hangs');
    for (let i = 0; i < 10_500; i++) look(`n${i}`);
    expect(look('n1')).toEqual([]);
    await jest.advanceTimersByTimeAsync(250);
    answer('hangs');
    for (let i = 0; i < 10_600; i++) for (const name of underway.keys()) answer(name, '10.0.0.1');
    expect(asked).toHaveLength(10_001);
  });
});
