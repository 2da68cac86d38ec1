import { LIMITS } from '#core';
import { badRequest, type Problem } from './problem.js';

/** What a route says of its body, as the configuration of the route. */
export interface BodyRules {
  /** It is kept as it is: what parsing would change is refused, and it may have as many members as it likes. */
  readonly exact?: boolean;
}

export const EXACT_BODY: BodyRules = { exact: true };

/** No list and no object of the API has more members than a batch may have instances. */
const MAX_MEMBERS = LIMITS.batch;
/** A full batch of instances that are full of tags and metadata comes to less. */
const MAX_VALUES = 200_000;
const MAX_DEPTH = 16;
/** Lists and objects: more than there may be values, so that of what is less, the path is told. */
const MAX_CONTAINERS = 250_000;

const [QUOTE, BACKSLASH, BRACE, BRACKET] = Buffer.from('"\\{[');

/**
 * What is refused before it is parsed, as each list and each object would take many times its text: four megabytes of
 * them come to a hundred.
 *
 * @param bytes Of JSON, or of anything: whether it can be parsed is not found out here.
 */
export function excessIn(bytes: Buffer): Problem | null {
  if (bytes.length <= MAX_CONTAINERS) return null;
  let containers = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === BACKSLASH) i++;
    else if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === BRACE || byte === BRACKET) && ++containers > MAX_CONTAINERS) return tooManyValues();
  }
  return null;
}

/**
 * Validation looks at every value and tells of each that is wrong: four megabytes of empty tags would hold up
 * everybody for seconds. What is larger than anything that could be right is refused before.
 *
 * @returns What to refuse a parsed body with (400), or null.
 */
export function excess(body: unknown, exact = false): Problem | null {
  const mostMembers = exact ? MAX_VALUES : MAX_MEMBERS;
  let values = 0;
  const visit = (container: object, path: string, depth: number): Problem | null => {
    const size = Array.isArray(container) ? container.length : Object.keys(container).length;
    values += size;
    if (depth === MAX_DEPTH) return tooMuch(path, `must be at most ${MAX_DEPTH} levels deep`);
    if (size > mostMembers) return tooMuch(path, `must have at most ${mostMembers} members`);
    if (values > MAX_VALUES) return tooManyValues();
    for (const name of Object.keys(container)) {
      const value = (container as Record<string, unknown>)[name];
      if (!isContainer(value)) continue;
      const problem = visit(value, path === '' ? name : `${path}.${name}`, depth + 1);
      if (problem) return problem;
    }
    return null;
  };
  return isContainer(body) ? visit(body, '', 0) : null;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function tooManyValues(): Problem {
  return tooMuch('', `must have at most ${MAX_VALUES} values in all`);
}

function tooMuch(path: string, message: string): Problem {
  return badRequest('the request is not valid', [{ path, message }]);
}
