import { z } from 'zod';
import { BackendError } from './errors.js';
import type { InstanceRecord } from './instance.js';
import type { JsonObject, JsonValue } from './json.js';
import { CHANGE_CAUSES } from './lifecycle.js';
import { HEALTH_STATUSES } from './status.js';

/** The form in which records are stored. It grows only when an older release could no longer read them. */
export const RECORD_FORMAT = 1;

const jsonObject = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;

// Loose: what a newer release has added survives a rewrite by this one.
const storedCheck = z.looseObject({
  type: z.string(),
  options: jsonObject,
  interval: z.number(),
  timeout: z.number(),
  successBeforePassing: z.number(),
  failuresBeforeCritical: z.number(),
  deregisterCriticalAfter: z.number(),
});

const storedRecord = z.object({
  v: z.number(),
  serviceName: z.string(),
  serviceId: z.string(),
  address: z.string(),
  port: z.number(),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  weight: z.number().optional(),
  region: z.string().optional(),
  zone: z.string().optional(),
  protocol: z.string().optional(),
  path: z.string().optional(),
  check: storedCheck.optional(),
  ttl: z.number().optional(),
  reported: z.enum(HEALTH_STATUSES),
  probed: z.enum(HEALTH_STATUSES).optional(),
  maintenance: z.looseObject({ reason: z.string() }).optional(),
  enableTagOverride: z.boolean().optional(),
  tagsOverridden: z.boolean().optional(),
  registeredAt: z.number(),
  registeredBy: z.string().optional(),
  changed: z.looseObject({ cause: z.enum(CHANGE_CAUSES), actor: z.string(), at: z.number() }),
});
const KNOWN = new Set(Object.keys(storedRecord.shape));

/** The JSON value that is stored for a record. */
export function encodeRecord(record: InstanceRecord): JsonObject {
  const { unknownFields, ...known } = record;
  return { ...unknownFields, v: RECORD_FORMAT, ...(known as unknown as JsonObject) };
}

/** @throws BackendError `NOT_SUPPORTED` for a newer format, `INVALID` for what is no record of ours. */
export function decodeRecord(value: unknown): InstanceRecord {
  const parsed = storedRecord.safeParse(value);
  if (!parsed.success) {
    const v = (value as { v?: unknown } | null)?.v;
    if (typeof v === 'number' && v > RECORD_FORMAT) {
      throw new BackendError('NOT_SUPPORTED', `the record has format ${v}; this release reads up to ${RECORD_FORMAT}`);
    }
    throw new BackendError('INVALID', `not a record of an instance: ${z.prettifyError(parsed.error)}`);
  }
  const { v, ...record } = parsed.data;
  if (v > RECORD_FORMAT) {
    throw new BackendError('NOT_SUPPORTED', `the record has format ${v}; this release reads up to ${RECORD_FORMAT}`);
  }
  const unknown = Object.entries(value as Record<string, JsonValue>).filter(([name]) => !KNOWN.has(name));
  return unknown.length === 0 ? record : { ...record, unknownFields: Object.fromEntries(unknown) };
}
