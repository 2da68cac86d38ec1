import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { Deadlines } from './deadlines.js';

it('aborts after the time, and not before', async () => {
  const begun = performance.now();
  const signal = new Deadlines(100).next();
  const held = setTimeout(() => undefined, 60_000);
  await once(signal, 'abort');
  clearTimeout(held);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(100);
  expect(signal.reason).toEqual(new Error('not done within 100 ms'));
});

it('gives one signal to those of a moment, and never one whose time has begun', async () => {
  const deadlines = new Deadlines(1);
  const signal = deadlines.next();
  expect(deadlines.next()).toBe(signal);
  const held = setTimeout(() => undefined, 60_000);
  await once(signal, 'abort');
  clearTimeout(held);
  expect(deadlines.next().aborted).toBe(false);
});
