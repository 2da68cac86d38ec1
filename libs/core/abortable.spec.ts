import { describe, expect, it } from '@jest/globals';
import { abortable } from './index.js';

const never = new Promise<never>(() => undefined);
const reason = new Error('enough');

describe('what cannot be cancelled', () => {
  it('is heard when it ends in time', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(1), signal)).toBe(1);
    expect(await abortable(Promise.resolve(2), undefined)).toBe(2);
    await expect(abortable(Promise.reject(reason), signal)).rejects.toBe(reason);
  });

  it('is not waited for beyond its signal', async () => {
    const aborter = new AbortController();
    const waiting = abortable(never, aborter.signal);
    aborter.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(abortable(never, aborter.signal)).rejects.toBe(reason);
  });

  it('may fail unheard', async () => {
    await expect(abortable(Promise.reject(new Error('late')), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
