import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { keyOf, silentLogger } from '#core';
import { registration } from '#core/testing';
import { MemoryBackend } from './backend.js';

const SWEEP_MS = 250;
const TTL = 10_000;
const actor = 'test';
const KEY = keyOf(registration());

describe('a process that stood still', () => {
  let now: number;
  let backend: MemoryBackend;

  beforeEach(async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask', 'setImmediate'] });
    now = 1_000_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    backend = new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0 });
    await backend.start();
    await backend.registrar.register(registration({ ttl: TTL }), { actor });
  });

  afterEach(async () => {
    await backend.stop();
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  /** Sweeps that come in time. */
  function run(ms: number): void {
    for (let passed = 0; passed < ms; passed += SWEEP_MS) {
      now += SWEEP_MS;
      jest.advanceTimersByTime(SWEEP_MS);
    }
  }

  /** The clock goes on, and nobody looks. */
  function standStill(ms: number): void {
    now += ms;
    jest.advanceTimersByTime(SWEEP_MS);
  }

  async function isThere(): Promise<boolean> {
    return (await backend.list()).instances.length === 1;
  }

  it('ends nobody who could not renew meanwhile, and takes up each lease where it was', async () => {
    run(TTL - 2_000);
    standStill(60 * 60_000);
    expect(await isThere()).toBe(true);
    run(1_000);
    expect(await isThere()).toBe(true);
    run(2_000);
    expect(await isThere()).toBe(false);
  });

  it('renews from when it heard the heartbeat', async () => {
    standStill(60 * 60_000);
    await backend.registrar.renew(KEY, {}, { actor });
    run(TTL - 500);
    expect(await isThere()).toBe(true);
    run(1_000);
    expect(await isThere()).toBe(false);
  });

  it('is not one whose sweeps are a little late', async () => {
    for (let late = 0; late < 2 * TTL; late += 900) standStill(900);
    expect(await isThere()).toBe(false);
  });
});
