import { createContext, Script } from 'node:vm';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';
import { BackendError, type ConfigEntry, type InputIssue, type JsonObject } from '#core';

/**
 * A schema can ask for work without end, by a regular expression say. Nobody is held up longer by whoever has
 * written it; a busy machine gets through the largest one in this time.
 */
const MOST_MS = 1_000;
const COMPILED = 200;
const MOST_ISSUES = 50;
const DRAFT_7 = /^http:\/\/json-schema\.org\/draft-07\/schema#?$/;
const DRAFT_2020 = 'https://json-schema.org/draft/2020-12/schema';

const compiled = new LRUCache<ConfigEntry, ValidateFunction>({ max: COMPILED });

/** @throws BackendError `INVALID` when it is no JSON Schema that we take, with what is wrong and where. */
export async function checkSchema(schema: JsonObject): Promise<void> {
  await compile(schema);
}

/**
 * Holds a value to a schema.
 *
 * @param entry The version that the schema is in.
 * @throws BackendError `INVALID` with the places where it breaks it.
 */
export async function checkAgainst(entry: ConfigEntry, schema: JsonObject, value: JsonObject): Promise<void> {
  let validate = compiled.get(entry);
  if (!validate) compiled.set(entry, (validate = await compile(schema)));
  const { result: valid, error } = within(() => validate(value));
  if (error !== undefined) throw refusal([{ path: '', message: `cannot be held to the schema: ${error}` }]);
  if (!valid) throw refusal((validate.errors ?? []).slice(0, MOST_ISSUES).map(issueOf));
}

function refusal(issues: readonly InputIssue[]): BackendError {
  return new BackendError('INVALID', 'the configuration breaks the schema of its service', { issues });
}

async function compile(schema: JsonObject): Promise<ValidateFunction> {
  const dialect = schema.$schema ?? DRAFT_2020;
  if (dialect !== DRAFT_2020 && !(typeof dialect === 'string' && DRAFT_7.test(dialect))) {
    throw invalidSchema([{ path: '$schema', message: `must be ${DRAFT_2020} or draft-07` }]);
  }
  // It would make a promise of every answer.
  if ('$async' in schema) throw invalidSchema([{ path: '$async', message: 'is not known here' }]);
  const { createValidator } = await import('./validator.js');
  const ajv = createValidator(dialect === DRAFT_2020);
  const { result, error } = within(() => ajv.validateSchema(schema) && ajv.compile(schema));
  if (typeof result === 'function') return result;
  const issues = (ajv.errors ?? []).slice(0, MOST_ISSUES).map(issueOf);
  throw invalidSchema(error === undefined ? issues : [{ path: '', message: error }]);
}

function invalidSchema(issues: readonly InputIssue[]): BackendError {
  return new BackendError('INVALID', 'this is no JSON Schema that is taken here', { issues });
}

const room = createContext({ work: undefined as unknown });
const script = new Script('work()');

/** Node ends a script that takes too long, whatever it is in the middle of: work of ours too, when a script calls it. */
function within<T>(work: () => T): { readonly result?: T; readonly error?: string } {
  room.work = work;
  try {
    return { result: script.runInContext(room, { timeout: MOST_MS }) as T };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { error: code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 'it takes too long' : message };
  } finally {
    room.work = undefined;
  }
}

function issueOf({ instancePath, message = 'is not valid', params }: ErrorObject): InputIssue {
  const { missingProperty, additionalProperty } = params as { missingProperty?: string; additionalProperty?: string };
  const segments = instancePath
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const member = missingProperty ?? additionalProperty;
  return { path: [...segments, ...(member === undefined ? [] : [member])].join('.'), message };
}
