import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import type { InputIssue } from '#core';
import { badRequest, type Problem } from './problem.js';

const MAX_ISSUES = 50;
const PROTO = '__proto__';

type Issue = { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] };

export function toInputIssues(issues: readonly Issue[]): InputIssue[] {
  return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    path: path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.'),
    message,
  }));
}

/**
 * Bad input is a 400 that names every place.
 *
 * In the place of Nest's own pipe for schemas, which would take keys such as `constructor` out of the body, and so
 * lose metadata of that name without a word. The parser refuses what could poison a prototype, and schemas copy
 * what they keep.
 */
export class SchemaPipe implements PipeTransform {
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (!schema) return value;
    // A schema never sees a key of this name, and so cannot refuse it.
    if (type === 'query' && Object.hasOwn(Object(value) as object, PROTO))
      throw refusal([{ path: PROTO, message: 'is not known here' }]);
    const parsed = (schema as z.ZodType).safeParse(value);
    if (parsed.success) return parsed.data;
    const issues = toInputIssues(parsed.error.issues);
    // A part of the path is named as the route names it: its schema knows only the value.
    throw refusal(type === 'param' ? issues.map(({ message }) => ({ path: data ?? '', message })) : issues);
  }
}

function refusal(errors: readonly InputIssue[]): Problem {
  return badRequest('the request is not valid', errors);
}
