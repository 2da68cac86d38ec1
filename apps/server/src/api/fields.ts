import {
  addressField,
  durationField,
  LIMITS,
  MAX_DURATION_MS,
  metadataField,
  metadataPatchField,
  pathField,
  placeField,
  reasonField,
  serviceIdField,
  serviceNameField,
  tagsField,
  toSeconds,
} from '#core';

// Core's fields with what JSON Schema can say of their rules: zod tells it of its own checks alone, not of
// a refinement or a transformation. The document never says more than the server holds to.

const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f';
const PRINTABLE = `^[^${CONTROL}]*$`;
const DECIMAL = '\\d+(?:\\.\\d+)?';
/** Seconds, or units from large to small, each at most once. */
const DURATION = `^\\s*(?=\\d)(?:${DECIMAL}|${['d', 'h', 'm', 's', 'ms'].map((unit) => `(?:${DECIMAL}${unit})?`).join('')})\\s*$`;

const scalar = [{ type: 'string', maxLength: LIMITS.metadataValueBytes }, { type: 'number' }, { type: 'boolean' }];
const metadataKey = {
  minLength: 1,
  maxLength: LIMITS.metadataKeyLength,
  pattern: PRINTABLE,
  not: { const: '__proto__' },
};

export const serviceName = serviceNameField.meta({
  description: 'folded to lower case',
  pattern: '^(?!\\.+$)[A-Za-z0-9._-]{1,100}$',
});

export const serviceId = serviceIdField.meta({
  maxLength: LIMITS.idLength,
  pattern: `^(?!\\.{1,2}$)[^/${CONTROL}]+$`,
});

export const address = addressField.meta({
  description: 'a host name, an IPv4 or an IPv6 address',
  minLength: 1,
  maxLength: 254,
  pattern: '^[A-Za-z0-9._:-]+$',
});

export const tags = tagsField.meta({
  description: `a set of at most ${LIMITS.tags}`,
  items: { type: 'string', minLength: 1, maxLength: LIMITS.tagLength, pattern: PRINTABLE },
});

export const metadata = metadataField.meta({
  description: `scalars become strings, at most ${LIMITS.metadataValueBytes} bytes each`,
  maxProperties: LIMITS.metadataKeys,
  propertyNames: metadataKey,
  additionalProperties: { anyOf: scalar },
});

export const metadataPatch = metadataPatchField.meta({
  description: 'merged as RFC 7396 says: null removes a key',
  propertyNames: metadataKey,
  additionalProperties: { anyOf: [...scalar, { type: 'null' }] },
});

export const path = pathField.meta({ pattern: `^[^\\s${CONTROL}]*$` });
export const place = placeField.meta({ pattern: PRINTABLE });
export const reason = reasonField.meta({ pattern: PRINTABLE });

/** Milliseconds. */
export function duration(limits: { min?: number; zeroAllowed?: boolean } = {}) {
  const { min = 0, zeroAllowed = false } = limits;
  return durationField(limits).meta({
    anyOf: [
      { type: 'number', minimum: zeroAllowed ? 0 : toSeconds(min), maximum: toSeconds(MAX_DURATION_MS) },
      { type: 'string', pattern: DURATION },
    ],
  });
}

/** Of a query: text alone. */
export function durationText() {
  return durationField().meta({ anyOf: undefined, type: 'string', pattern: DURATION });
}
