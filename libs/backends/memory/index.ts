import { z } from 'zod';
import type { BackendModule } from '#core';
import { MemoryBackend } from './backend.js';

const options = z.object({
  DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'folder that keeps what was registered through a restart' }),
});

export const memory = {
  type: 'memory',
  summary: 'embedded, nothing to set up; durable when DATA_DIR is set',
  options,
  create: async ({ DATA_DIR }, context) => {
    if (DATA_DIR === undefined) return new MemoryBackend(context);
    const { LevelStore } = await import('./level-store.js');
    return new MemoryBackend(context, new LevelStore(DATA_DIR));
  },
} satisfies BackendModule<typeof options>;
