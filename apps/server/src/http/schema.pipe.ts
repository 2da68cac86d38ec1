import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { InputIssue } from '#core';
import { badRequest, Problem } from './problem.js';

const MAX_ISSUES = 50;
const PROTO = '__proto__';

type Issue = { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] };

export function toInputIssues(issues: readonly Issue[]): InputIssue[] {
  return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    path: path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.'),
    message,
  }));
}

/** Bad input is a 400 that names every place. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => badRequest('the request is not valid', toInputIssues(issues)) });
  }

  /** A part of the path is named as the route names it: its schema knows only the value. */
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    // A schema never sees a key of this name, and so cannot refuse it.
    if (metadata.type === 'query' && Object.hasOwn(Object(value) as object, PROTO))
      throw badRequest('the request is not valid', [{ path: PROTO, message: 'is not known here' }]);
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (metadata.type !== 'param' || !(error instanceof Problem)) throw error;
      const errors = error.extras.errors?.map(({ message }) => ({ path: metadata.data ?? '', message }));
      throw badRequest(error.detail, errors);
    }
  }

  /**
   * Nest would take keys such as `constructor` out of the body, and so lose metadata of that name
   * without a word. The parser refuses what could poison a prototype, and schemas copy what they keep.
   */
  protected override stripProtoKeys(): void {}
}
