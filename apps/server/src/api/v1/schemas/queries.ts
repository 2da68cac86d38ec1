import { z } from 'zod';
import { LIMITS, metadataKeyField, NO_FILTER, serviceIdField, tagField, type InstanceFilter } from '#core';
import { MAX_WAIT_MS, type FreshnessRequest, type RevisionRef } from '../../../answers/answers.js';
import { durationText, place, reason, serviceName } from '../../fields.js';

// Every parameter comes as one string; a repeated one as an array, which none of these takes. What
// is not named is refused: a misspelt `healthy_only` must not pass as if it had been obeyed.

const DEFAULT_WAIT_MS = 30_000;
const METADATA_PREFIX = 'metadata.';

export const flag = z
  .enum(['true', 'false', '1', '0'], 'must be true, false, 1 or 0')
  .transform((text) => text === 'true' || text === '1')
  .meta({ anyOf: [{ type: 'boolean' }, { enum: ['1', '0'] }], type: undefined, enum: undefined });

/** One parameter with commas between, as the document has it; `docs/openapi.ts` says so for each array. */
function commaSeparated(items: object): Record<string, unknown> {
  return { type: 'array', items };
}

const ESCAPES = 'a comma, a backslash or a leading ! of its own has a backslash before it';

/** What commas part, as it stands there: Consul's tags may be rules of a proxy, with commas in them. */
function parted(text: string): string[] {
  return (`,${text}`.match(/,(?:\\[,\\!]|[^,])*/g) ?? []).map((part) => part.slice(1));
}

function unescaped(part: string): string {
  return part.replace(/\\([,\\!])/g, '$1');
}

const revision = z
  .string()
  .regex(/^(0|[0-9a-f]{1,64}\.\d{1,15})$/, 'must be a revision as X-Registry-Revision has it, or 0')
  .transform((text) => {
    const [epoch = '', number] = text.split('.');
    return number === undefined ? { epoch: '', number: 0 } : { epoch, number: Number(number) };
  });

const waitShape = {
  index: revision.optional().meta({ description: 'hold the answer until something has changed after this revision' }),
  wait: durationText()
    .refine((ms) => ms <= MAX_WAIT_MS, 'must be at most 10m')
    .optional()
    .meta({ description: 'how long to hold it (30s, at most 10m)' }),
  min_revision: revision.optional().meta({ description: 'answer from no older a view than this' }),
};

const filterShape = {
  tags: z
    .string()
    .optional()
    .meta({
      description: `instances that have all of them; !tag excludes; blanks around one do not count, so one that begins or ends with them cannot be named; ${ESCAPES}`,
      ...commaSeparated({ type: 'string', pattern: '^!?(?:\\\\[,\\\\!]|[^,])*$' }),
    }),
  healthy_only: flag.optional(),
  region: place.optional(),
  zone: place.optional(),
};

export const pageShape = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 1_000, 'must be 1 to 1000')
    .optional()
    .meta({ description: 'pages of this many', type: 'integer', minimum: 1, maximum: 1_000, pattern: undefined }),
  cursor: z.string().max(2_048).optional().meta({ description: 'next_cursor of the page before' }),
};

const include = (allowed: readonly string[]) =>
  z
    .string()
    .transform((text) => text.split(','))
    .refine((parts) => parts.every((part) => allowed.includes(part)), `may hold ${allowed.join(', ')}`)
    .optional()
    .meta(commaSeparated({ enum: allowed }));

const tagList = z.array(tagField).max(LIMITS.tags);

/** Where the instances must be, and how. */
type Where = Pick<InstanceFilter, 'region' | 'zone'> & { readonly healthy_only?: boolean };

/** The filter that `tags`, `metadata.KEY` and where they must be come to. */
function readFilter(
  query: Where & { readonly tags?: string; readonly [name: string]: unknown },
  context: z.RefinementCtx,
  { healthy_only: healthyOnly = false, region, zone }: Where = query,
): InstanceFilter {
  const { tags, withoutTags } = query.tags ? readTags(query.tags, context) : NO_FILTER;
  const metadata: [string, string][] = [];
  for (const name of Object.keys(query))
    if (name.startsWith(METADATA_PREFIX)) metadata.push([name.slice(METADATA_PREFIX.length), query[name] as string]);
  const anything = tags.length + withoutTags.length + metadata.length === 0;
  if (anything && !healthyOnly && region === undefined && zone === undefined) return NO_FILTER;
  return { tags, withoutTags, metadata, healthyOnly, region, zone };
}

function readTags(text: string, context: z.RefinementCtx): Pick<InstanceFilter, 'tags' | 'withoutTags'> {
  const listed = parted(text).map((tag) => tag.trim());
  const withoutTags = listed.filter((tag) => tag.startsWith('!')).map((tag) => unescaped(tag.slice(1)));
  const tags = listed.filter((tag) => !tag.startsWith('!')).map(unescaped);
  const bad = tagList.safeParse([...tags, ...withoutTags]).error?.issues[0];
  if (bad) context.addIssue({ code: 'custom', path: ['tags'], message: bad.message });
  return { tags, withoutTags };
}

/** Only the named parameters, and `metadata.KEY` where the route filters. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape, options: { metadata: boolean }) {
  return z.looseObject(shape).superRefine((query, context) => {
    for (const name of Object.keys(query)) {
      if (Object.hasOwn(shape, name)) continue;
      const path = [name];
      if (!options.metadata || !name.startsWith(METADATA_PREFIX)) {
        const known = [...Object.keys(shape), ...(options.metadata ? [`${METADATA_PREFIX}KEY`] : [])];
        const allowed = known.length === 0 ? 'there are no parameters' : `known are ${known.join(', ')}`;
        context.addIssue({ code: 'custom', path, message: `is not known here; ${allowed}` });
        continue;
      }
      const bad = metadataKeyField.safeParse(name.slice(METADATA_PREFIX.length)).error?.issues[0];
      if (bad) context.addIssue({ code: 'custom', path, message: bad.message });
      if (typeof query[name] !== 'string') context.addIssue({ code: 'custom', path, message: 'must be given once' });
    }
  });
}

function checkWait(query: { index?: unknown; wait?: number }, context: z.RefinementCtx): void {
  if (query.wait === undefined || query.index !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['wait'],
    message: 'goes with index: there is nothing to wait for without it',
  });
}

function readFreshness(query: { index?: RevisionRef; wait?: number; min_revision?: RevisionRef }): FreshnessRequest {
  return { index: query.index, waitMs: query.wait ?? DEFAULT_WAIT_MS, minRevision: query.min_revision };
}

export const servicesQuery = strict(
  { ...filterShape, ...pageShape, ...waitShape, include: include(['instances', 'internal']) },
  { metadata: true },
)
  .superRefine(checkWait)
  .transform((query, context) => ({
    filter: readFilter(query, context),
    freshness: readFreshness(query),
    limit: query.limit,
    cursor: query.cursor,
    instances: query.include?.includes('instances') ?? false,
    internal: query.include?.includes('internal') ?? false,
  }));

export const instancesQuery = strict({ ...filterShape, ...pageShape, ...waitShape }, { metadata: true })
  .superRefine(checkWait)
  .transform((query, context) => ({
    filter: readFilter(query, context),
    freshness: readFreshness(query),
    limit: query.limit,
    cursor: query.cursor,
  }));

export const serviceQuery = strict({ ...filterShape, ...waitShape }, { metadata: true })
  .superRefine(checkWait)
  .transform((query, context) => ({ filter: readFilter(query, context), freshness: readFreshness(query) }));

export const oneQuery = strict(waitShape, { metadata: false })
  .superRefine(checkWait)
  .transform((query) => ({ freshness: readFreshness(query) }));

export const healthQuery = strict({ ...waitShape, service: serviceName.optional() }, { metadata: false })
  .superRefine(checkWait)
  .transform((query) => ({ freshness: readFreshness(query), service: query.service }));

export const pickQuery = strict(
  {
    strategy: z.string().min(1).max(50).optional(),
    tags: filterShape.tags,
    exclude: z
      .string()
      .transform((text) => parted(text).map(unescaped))
      .pipe(z.array(serviceIdField).max(1_000))
      .optional()
      .meta({ description: `ids; ${ESCAPES}`, ...commaSeparated({ type: 'string', minLength: 1 }) }),
    key: z
      .string()
      .min(1)
      .max(1_024)
      .optional()
      .meta({ description: 'for consistent_hash; else the caller’s address' }),
    region: place.optional().meta({ description: 'where the caller is' }),
    zone: place.optional().meta({ description: 'where the caller is' }),
    explain: flag.optional(),
    min_revision: waitShape.min_revision,
  },
  { metadata: true },
).transform((query, context) => ({
  // Where the caller is says nothing about where the instance must be.
  filter: readFilter(query, context, {}),
  strategy: query.strategy,
  exclude: new Set(query.exclude),
  hashKey: query.key,
  region: query.region,
  zone: query.zone,
  explain: query.explain ?? false,
  minRevision: query.min_revision,
}));

/** A revision as somebody gives it back outside a query. */
export function readRevision(text: string): RevisionRef | undefined {
  return revision.safeParse(text).data;
}

export const watchShape = {
  since: revision
    .optional()
    .meta({ description: 'tell what has changed after this revision; Last-Event-ID goes before it' }),
  ticket: z.string().max(100).optional().meta({ description: 'of POST /watch/tickets, in place of headers' }),
};

export const watchServicesQuery = strict(
  { ...filterShape, ...watchShape, include: include(['internal']) },
  { metadata: true },
).transform((query, context) => ({
  filter: readFilter(query, context),
  since: query.since,
  ticket: query.ticket,
  internal: query.include?.includes('internal') ?? false,
}));

export const watchServiceQuery = strict({ ...filterShape, ...watchShape }, { metadata: true }).transform(
  (query, context) => ({ filter: readFilter(query, context), since: query.since, ticket: query.ticket }),
);

export const ofServiceQuery = strict({ service: serviceName.optional() }, { metadata: false });
export const maintenanceQuery = strict({ reason: reason.optional() }, { metadata: false });
export const pageQuery = strict(pageShape, { metadata: false });
export const noQuery = strict({}, { metadata: false });
