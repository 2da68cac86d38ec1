import { backendContract } from '#core/testing';
import { silentLogger } from '#core';
import { MemoryBackend } from './backend.js';

backendContract({
  name: 'memory',
  open: async () => ({
    backend: async () => new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0 }),
    close: async () => undefined,
  }),
});
