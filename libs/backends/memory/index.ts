import { z } from 'zod';
import type { BackendModule } from '#core';
import { MemoryBackend } from './backend.js';

export const memory = {
  type: 'memory',
  summary: 'embedded, nothing to set up; durable when DATA_DIR is set',
  options: z.object({
    DATA_DIR: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'folder that keeps what was registered through a restart' }),
  }),
  create: async (_options, context) => new MemoryBackend(context),
} satisfies BackendModule;
