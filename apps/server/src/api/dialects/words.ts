import { type z } from 'zod';
import { isHealthy, statusOf, type ServiceInstance } from '#core';
import type { FreshnessRequest } from '../../answers/answers.js';

// What the older systems' APIs have in common.

/** Their clients know no long poll. */
export const AS_IT_IS: FreshnessRequest = { waitMs: 0 };

export const STATUS_WORDS = ['healthy', 'unhealthy', 'maintenance'] as const;
export type StatusWord = (typeof STATUS_WORDS)[number];

/** In their words. A warning instance still receives traffic. */
export function wordOf(instance: ServiceInstance): StatusWord {
  const status = statusOf(instance);
  if (status === 'maintenance') return status;
  return isHealthy(status) ? 'healthy' : 'unhealthy';
}

export function isoTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

/** Absent and null are the same to their clients. */
export function optional<T extends z.ZodType>(field: T) {
  return field.nullish().transform((value) => value ?? undefined);
}
