const SECRETS: ReadonlySet<string> = new Set(['authorization', 'token', 'secret', 'password']);
const HIDDEN = '[Redacted]';
/** Further down nothing is logged that a caller has sent. */
const DEPTH = 3;

/**
 * Fields of a log line with secrets hidden; the very same object where there are none. pino's own
 * redaction copies every value once for each path, which made a line the dearest part of a registration.
 */
export function withoutSecrets<Fields extends object>(fields: Fields, depth = DEPTH): Fields {
  const changes: [string, unknown][] = [];
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    const shown = SECRETS.has(name) ? HIDDEN : depth > 1 && isPlain(value) ? withoutSecrets(value, depth - 1) : value;
    if (shown !== value) changes.push([name, shown]);
  }
  if (changes.length === 0) return fields;
  return Object.assign(Array.isArray(fields) ? [...fields] : { ...fields }, Object.fromEntries(changes)) as Fields;
}

/** What JSON takes as it is: an error or a date has a form of its own. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
