import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Backoff } from './index.js';

const never = new AbortController().signal;

describe('waiting between attempts', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** How long the next wait is, milliseconds. */
  async function wait(backoff: Backoff): Promise<number> {
    const begun = Date.now();
    const waited = backoff.pause(never);
    jest.runAllTimers();
    await waited;
    return Date.now() - begun;
  }

  it('doubles up to its limit, and begins anew after a success', async () => {
    const backoff = new Backoff(100, 800);
    for (const most of [100, 200, 400, 800, 800]) {
      const ms = await wait(backoff);
      expect(ms).toBeGreaterThanOrEqual(most / 2);
      expect(ms).toBeLessThanOrEqual(most);
    }
    backoff.reset();
    expect(await wait(backoff)).toBeLessThanOrEqual(100);
  });

  it('ends with its signal', async () => {
    const aborter = new AbortController();
    const waiting = new Backoff(60_000, 60_000).pause(aborter.signal);
    aborter.abort();
    await waiting;
    await new Backoff(60_000, 60_000).pause(aborter.signal);
    expect(jest.getTimerCount()).toBe(0);
  });
});
