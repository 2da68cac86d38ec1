import { z } from 'zod';
import { LIMITS, type JsonObject } from '#core';
import { ALL } from '#configuration';
import { serviceName } from '../../fields.js';
import { flag, pageShape, strict, watchShape } from './queries.js';

const orAll = { pattern: '^(\\*|(?!\\.+$)[A-Za-z0-9._-]{1,100})$' };
const DEFAULT_ENVIRONMENT = 'production';
const DEFAULT_LIMIT = 20;

/** A service's name, or * for the layer that all services share. */
export const configParam = z.union([z.literal(ALL), serviceName], 'must be the name of a service, or *').meta({
  ...orAll,
  anyOf: undefined,
  type: 'string',
  description: 'a service, or *: what all services share',
});

const environment = z
  .union([z.literal(ALL), serviceName], 'must be a name as services have them, or * with the layer that all share')
  .default(DEFAULT_ENVIRONMENT)
  .meta({
    ...orAll,
    anyOf: undefined,
    type: 'string',
    description: `${DEFAULT_ENVIRONMENT} when it is not given; of the layer that all services share also *: in all environments`,
  });

const version = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a version: a whole number from 1 on')
  .transform(Number)
  .meta({ type: 'integer', minimum: 1, pattern: undefined });

export const environmentQuery = strict({ environment }, { metadata: false });

export const configQuery = strict(
  {
    environment,
    version: version.optional().meta({ description: 'this one in the place of the newest' }),
    resolved: flag
      .optional()
      .meta({ description: 'over the layers that all services share, with where each value is from' }),
  },
  { metadata: false },
).superRefine((query, context) => {
  if (!query.resolved || query.version === undefined) return;
  context.addIssue({ code: 'custom', path: ['version'], message: 'is of one layer, and resolved of all' });
});

export const configWatchQuery = strict(
  {
    environment,
    since: z
      .string()
      .regex(/^\d{1,15}$/, 'must be a version')
      .transform(Number)
      .optional()
      .meta({
        description: 'the version that somebody has who comes back',
        type: 'integer',
        minimum: 0,
        pattern: undefined,
      }),
    ticket: watchShape.ticket,
  },
  { metadata: false },
);

export const historyQuery = strict(
  {
    environment,
    limit: z
      .string()
      .regex(/^\d{1,3}$/, 'must be a whole number')
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= LIMITS.configVersions, `must be 1 to ${LIMITS.configVersions}`)
      .default(DEFAULT_LIMIT)
      .meta({ type: 'integer', minimum: 1, maximum: LIMITS.configVersions, pattern: undefined }),
    cursor: pageShape.cursor,
  },
  { metadata: false },
);

// Past zod, which copies what it checks: a document is kept as it is.
export const documentInput = z
  .custom<JsonObject>(
    (body) => typeof body === 'object' && body !== null && !Array.isArray(body),
    'must be a JSON object',
  )
  .meta({ id: 'ConfigInput', type: 'object', description: `at most ${LIMITS.configBytes / 1_024} KiB` });

export const rollbackInput = z
  .object({
    version: z.int().min(1).max(Number.MAX_SAFE_INTEGER).meta({ description: 'whose content is wanted back' }),
  })
  .meta({ id: 'RollbackInput' });

const time = z.iso.datetime();

export const documentAnswer = z
  .strictObject({
    service_name: z.string(),
    environment: z.string(),
    version: z.int().min(1),
    config: z.record(z.string(), z.unknown()),
    created_at: time,
    updated_at: time,
    updated_by: z.string(),
  })
  .meta({ id: 'ConfigDocument' });

const layer = z.enum(['base', 'environment', 'service']);

export const resolvedAnswer = z
  .strictObject({
    service_name: z.string(),
    environment: z.string(),
    config: z.record(z.string(), z.unknown()),
    layers: z.array(z.strictObject({ layer, version: z.int().min(1) })).meta({ description: 'those that there are' }),
    sources: z.record(z.string(), layer).meta({ description: 'by JSON pointer, the layer that a value is from' }),
  })
  .meta({ id: 'ResolvedConfig' });

export const schemaAnswer = z
  .strictObject({
    service_name: z.string(),
    version: z.int().min(1),
    schema: z.record(z.string(), z.unknown()),
    created_at: time,
    updated_at: time,
    updated_by: z.string(),
  })
  .meta({ id: 'ConfigSchema' });

export const versionAnswer = z
  .strictObject({
    version: z.int().min(1),
    deleted: z.boolean(),
    rolled_back_to: z.int().min(1).optional().meta({ description: 'the version whose content it brought back' }),
    updated_at: time,
    updated_by: z.string(),
  })
  .meta({ id: 'ConfigVersion' });
