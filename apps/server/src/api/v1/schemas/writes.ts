import { z } from 'zod';
import { healthStatusField, LIMITS, loadField, weightField } from '#core';
import { metadataPatch, tags } from '../../fields.js';

/** A missing body is an empty one. */
function orEmpty<T extends z.ZodType>(schema: T) {
  return z.preprocess((body) => body ?? {}, schema);
}

export const heartbeatInput = orEmpty(
  z.object({
    status: healthStatusField.optional(),
    load_percentage: loadField.optional(),
    active_connections: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    metadata: metadataPatch.optional(),
  }),
).meta({ id: 'HeartbeatInput' });
export type HeartbeatInput = z.output<typeof heartbeatInput>;

export const patchInput = z
  .object({
    tags: tags.nullable().optional().meta({ description: 'null: none' }),
    metadata: metadataPatch.optional(),
    weight: weightField.nullable().optional().meta({ description: 'null: the default' }),
  })
  .meta({ id: 'PatchInput' });
export type PatchInput = z.output<typeof patchInput>;

// Each item is checked by itself, so that a bad one spoils no other.
const registrations = z
  .array(z.unknown())
  .meta({ maxItems: LIMITS.batch, items: { $ref: '#/components/schemas/RegistrationInput' } });
export const batchInput = z
  .union([registrations, z.object({ services: registrations }).transform(({ services }) => services)])
  .refine((items) => items.length <= LIMITS.batch, `must be at most ${LIMITS.batch} registrations`)
  .meta({ id: 'BatchInput' });

export const outcomeInput = z
  .object({
    duration_ms: z.number().min(0).max(86_400_000).optional(),
    ok: z.boolean().optional(),
    released: z.boolean().optional(),
  })
  .meta({ id: 'OutcomeInput' });
