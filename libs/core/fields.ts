import { z } from 'zod';
import { parseDuration } from './duration.js';
import { LIMITS } from './limits.js';
import { HEALTH_STATUSES, INSTANCE_STATUSES } from './status.js';

// The spelling of every field that comes from outside, for the API, the dialects and the clients alike.

// eslint-disable-next-line no-control-regex -- refusing control characters is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ONLY_DOTS = /^\.+$/;
const IP_ADDRESS = z.union([z.ipv4(), z.ipv6()]);
const HOST_NAME =
  /^(?=.{1,253}\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

/** Characters as people count them: code points, of which there are no more than units. */
function isAtMost(limit: number, text: string): boolean {
  return text.length <= limit || Array.from(text).length <= limit;
}

function printable(text: string): boolean {
  return !CONTROL.test(text) && !LONE_SURROGATE.test(text);
}

function isIpAddress(address: string): boolean {
  return IP_ADDRESS.safeParse(address).success;
}

/** As itself: a URL takes a name such as `0x7f.1` for an IPv4 address. */
function standsInUrl(name: string): boolean {
  const url = `http://${name}/`;
  return URL.canParse(url) && new URL(url).hostname === name.toLowerCase();
}

export const serviceNameField = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be 1 to 100 characters of A–Z, a–z, 0–9, ".", "_" and "-"')
  .refine((name) => !ONLY_DOTS.test(name), 'must not be dots only')
  .transform((name) => name.toLowerCase());

export const serviceIdField = z
  .string()
  .min(1, 'must not be empty')
  .refine((id) => isAtMost(LIMITS.idLength, id), `must be at most ${LIMITS.idLength} characters`)
  .refine((id) => !id.includes('/') && printable(id), 'must not contain "/" or control characters')
  .refine((id) => id !== '.' && id !== '..', 'must not be "." or ".."');

export const addressField = z
  .string()
  .refine((address) => isIpAddress(address) || (HOST_NAME.test(address) && !/^[\d.]+$/.test(address)), {
    error: 'must be a host name, an IPv4 or an IPv6 address without a zone',
    abort: true,
  })
  .refine(
    (address) => isIpAddress(address) || standsInUrl(address),
    'must be a host name that can stand in a URL: its last part must not be a number, nor any part be broken Punycode',
  );

export const portField = z
  .int({ error: ({ input }) => (input === undefined ? 'is required' : undefined) })
  .min(1)
  .max(65_535);

export const tagField = z
  .string()
  .min(1, 'must not be empty')
  .refine((tag) => isAtMost(LIMITS.tagLength, tag), `must be at most ${LIMITS.tagLength} characters`)
  .refine(printable, 'must not contain control characters');

/** A set in the order given. */
export const tagsField = z
  .array(tagField)
  .transform((tags) => [...new Set(tags)])
  .refine((tags) => tags.length <= LIMITS.tags, `must be at most ${LIMITS.tags} tags`);

export const metadataKeyField = z
  .string()
  .min(1, 'must not be empty')
  .refine((key) => isAtMost(LIMITS.metadataKeyLength, key), `must be at most ${LIMITS.metadataKeyLength} characters`)
  .refine(printable, 'must not contain control characters')
  .refine((key) => key !== '__proto__', 'must not be "__proto__"');

/** Scalars become strings; nested values are refused. Size and number are checked on the whole record. */
export const metadataValueField = z
  .union([z.string(), z.number(), z.boolean()], {
    error: 'must be a string, a number or a boolean: nested values are not kept',
  })
  .transform(String);

export const metadataField = z.record(metadataKeyField, metadataValueField);
/** RFC 7396: null removes the key. */
export const metadataPatchField = z.record(metadataKeyField, metadataValueField.nullable());

export const weightField = z.int().min(0).max(LIMITS.maxWeight);

/** A URI scheme, as RFC 3986 section 3.1 has it, in lower case. */
export const protocolField = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9+.-]{0,31}$/, 'must be a URI scheme such as http, https, grpc or tcp')
  .transform((protocol) => protocol.toLowerCase());

export const pathField = z
  .string()
  .max(LIMITS.pathLength)
  .refine((path) => printable(path) && !/\s/.test(path), 'must not contain white space or control characters');

export const placeField = z.string().min(1).max(100).refine(printable, 'must not contain control characters');
export const reasonField = z.string().max(LIMITS.reasonLength).refine(printable, 'must not contain control characters');
export const instanceStatusField = z.enum(INSTANCE_STATUSES);
export const healthStatusField = z.enum(HEALTH_STATUSES);
export const loadField = z.number().min(0).max(1_000);

const DURATION_FORM = 'must be seconds as a number, or a duration such as "10s", "1m30s" or "500ms"';

/** Milliseconds. */
export function durationField(limits: { min?: number; zeroAllowed?: boolean } = {}) {
  return z.union([z.number(), z.string()], { error: DURATION_FORM }).transform((input, context) => {
    const ms = parseDuration(input);
    if (ms === undefined) {
      context.addIssue(DURATION_FORM);
      return z.NEVER;
    }
    if (limits.min !== undefined && ms < limits.min && !(ms === 0 && limits.zeroAllowed)) {
      context.addIssue(`must be at least ${limits.min / 1_000} s${limits.zeroAllowed ? ', or 0' : ''}`);
      return z.NEVER;
    }
    return ms;
  });
}
