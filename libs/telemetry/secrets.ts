const SECRETS: ReadonlySet<string> = new Set(['authorization', 'token', 'secret', 'password']);
const HIDDEN = '[Redacted]';
/** Further down nothing is logged that a caller has sent. */
const DEPTH = 3;

/**
 * Fields of a log line with secrets hidden; the very same object where there are none. pino's own
 * redaction copies every value once for each path, which made a line the dearest part of a registration.
 */
export function withoutSecrets<Fields extends object>(fields: Fields, depth = DEPTH): Fields {
  let changes: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value: unknown = fields[name as keyof Fields];
    const shown = SECRETS.has(name) ? HIDDEN : depth > 1 && isPlain(value) ? withoutSecrets(value, depth - 1) : value;
    if (shown !== value) (changes ??= {})[name] = shown;
  }
  return changes ? (Object.assign(Array.isArray(fields) ? [...fields] : { ...fields }, changes) as Fields) : fields;
}

/** What JSON takes as it is: an error or a date has a form of its own. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
}
