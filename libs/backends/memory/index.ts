import { z } from 'zod';
import type { BackendModule } from '#core';
import { MemoryBackend } from './backend.js';

const options = z.object({});

export const memory = {
  type: 'memory',
  summary: 'embedded, nothing to set up; durable when DATA_DIR is set',
  embedded: true,
  options,
  create: async (_options, context) => {
    if (context.dataDir === undefined) return new MemoryBackend(context);
    const { LevelStore } = await import('./level-store.js');
    const { dataDir } = context;
    return new MemoryBackend(context, {
      instances: LevelStore.ofInstances(dataDir),
      configuration: LevelStore.ofConfiguration(dataDir),
    });
  },
} satisfies BackendModule<typeof options>;
