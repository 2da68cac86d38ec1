import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { keyOf, silentLogger } from '#core';
import { backendContract, registration } from '#core/testing';
import { MemoryBackend } from './backend.js';
import { durable, temporaryFolder } from './testing/durable.js';

backendContract({
  name: 'memory',
  open: async () => ({
    backend: async () => new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0 }),
    close: async () => undefined,
  }),
});

backendContract({
  name: 'memory with DATA_DIR',
  open: async () => {
    const dataDir = await temporaryFolder();
    return {
      backend: async () => durable(dataDir),
      close: () => rm(dataDir, { recursive: true }),
    };
  },
});

it('ends no lease for the time in which the whole process stood still', async () => {
  const backend = new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0 });
  await backend.start();
  const actor = 'test';
  await backend.registrar.register(registration({ ttl: 1_000 }), { actor });
  const thaw = performance.now() + 2_000;
  while (performance.now() < thaw);
  await sleep(300);
  await backend.registrar.renew(keyOf(registration()), {}, { actor });
  await sleep(1_500);
  expect((await backend.list()).instances).toEqual([]);
  await backend.stop();
});
