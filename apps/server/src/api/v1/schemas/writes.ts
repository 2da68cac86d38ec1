import { z } from 'zod';
import { healthStatusField, LIMITS, loadField, metadataPatchField, tagsField, weightField } from '#core';

/** A missing body is an empty one. */
function orEmpty<T extends z.ZodType>(schema: T) {
  return z.preprocess((body) => body ?? {}, schema);
}

export const heartbeatInput = orEmpty(
  z.object({
    status: healthStatusField.optional(),
    load_percentage: loadField.optional(),
    active_connections: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    metadata: metadataPatchField.optional().meta({ description: 'merged as RFC 7396 says: null removes a key' }),
  }),
).meta({ id: 'HeartbeatInput' });
export type HeartbeatInput = z.output<typeof heartbeatInput>;

export const patchInput = z
  .object({
    tags: tagsField.nullable().optional().meta({ description: 'null: none' }),
    metadata: metadataPatchField.optional(),
    weight: weightField.nullable().optional().meta({ description: 'null: the default' }),
  })
  .meta({ id: 'PatchInput' });
export type PatchInput = z.output<typeof patchInput>;

/** Each item is checked by itself, so that a bad one spoils no other. */
export const batchInput = z
  .union([z.array(z.unknown()), z.object({ services: z.array(z.unknown()) }).transform(({ services }) => services)])
  .refine((items) => items.length <= LIMITS.batch, `must be at most ${LIMITS.batch} registrations`)
  .meta({ id: 'BatchInput' });

export const outcomeInput = z
  .object({
    duration_ms: z.number().min(0).max(86_400_000).optional(),
    ok: z.boolean().optional(),
    released: z.boolean().optional(),
  })
  .meta({ id: 'OutcomeInput' });
