import { z } from 'zod';
import type { BackendModule } from '#core';
import { loadSettings, SettingsError, type LoadedSettings, type Choices, type SettingsProblem } from '../index.js';

export function backend(type: string, options: z.ZodObject = z.object({})): BackendModule {
  return { type, summary: `the ${type} registry`, options, create: () => Promise.reject(new Error('not here')) };
}

/** Two backends with variables of every kind, and two strategies. */
export const SEAMS: Choices = {
  backends: [
    backend('memory', z.object({ MEMORY_SIZE: z.string().optional().meta({ description: 'how much it keeps' }) })),
    backend(
      'redis',
      z
        .object({
          REDIS_URL: z.url().default('redis://localhost').meta({ description: 'where Redis is' }),
          REDIS_PASSWORD: z.string().min(8).meta({ description: 'its password', secret: true }).optional(),
          REDIS_PORT: z.coerce.number().default(6379).meta({ description: 'its port' }),
        })
        .refine((options) => options.REDIS_URL !== 'redis://nowhere', 'must be somewhere'),
    ),
  ],
  strategies: ['round_robin', 'random'],
  dialects: ['old', 'older'],
  schemes: [],
};

export function load(environment: Record<string, string | undefined>, seams = SEAMS): LoadedSettings {
  return loadSettings(environment, seams);
}

/** What is wrong with the environment; anything thrown but a SettingsError goes on. */
export function problems(environment: Record<string, string | undefined>, seams = SEAMS): readonly SettingsProblem[] {
  try {
    load(environment, seams);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
