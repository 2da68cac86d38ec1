import { rm } from 'node:fs/promises';
import { silentLogger } from '#core';
import { backendContract, configStoreContract, type BackendContractOptions } from '#core/testing';
import { MemoryBackend } from './backend.js';
import { durable, temporaryFolder } from './testing/durable.js';

const inMemory: BackendContractOptions = {
  name: 'memory',
  open: async () => ({
    backend: async () => new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0 }),
    close: async () => undefined,
  }),
};

const onDisk: BackendContractOptions = {
  name: 'memory with DATA_DIR',
  open: async () => {
    const dataDir = await temporaryFolder();
    return {
      backend: async () => durable(dataDir),
      close: () => rm(dataDir, { recursive: true }),
    };
  },
};

for (const options of [inMemory, onDisk]) {
  backendContract(options);
  configStoreContract({ ...options, ...(process.env.SOAK && { increments: 10_000 }) });
}
