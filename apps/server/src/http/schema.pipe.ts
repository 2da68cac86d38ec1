import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { InputIssue } from '#core';
import { badRequest } from './problem.js';

const MAX_ISSUES = 50;

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

  /**
   * Nest would take keys such as `constructor` out of the body, and so lose metadata of that name
   * without a word. The parser refuses what could poison a prototype, and schemas copy what they keep.
   */
  protected override stripProtoKeys(): void {}
}
