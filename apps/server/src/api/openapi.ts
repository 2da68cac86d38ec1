import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { problemAnswer } from './v1/schemas/answers.js';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const FRESHNESS_HEADERS = {
  'X-Registry-Revision': { description: 'EPOCH.N of this process’s view', schema: { type: 'string' as const } },
  'X-Registry-Age': { description: 'milliseconds since it was in step', schema: { type: 'string' as const } },
  'X-Registry-Source': { description: 'live, stale or snapshot', schema: { type: 'string' as const } },
};

/** What a route answers: a success of this shape, and problems of these statuses. */
export function Answers(status: number, schema: z.ZodType | undefined, ...problems: readonly number[]) {
  return applyDecorators(
    HttpCode(status),
    ApiResponse({
      status,
      description: 'success',
      headers: FRESHNESS_HEADERS,
      ...(schema && { standardSchema: schema }),
    }),
    ...[...new Set([...problems, 400, 406, 414, 500, 503])].map((each) =>
      ApiResponse({ status: each, description: 'a problem (RFC 9457)', content: PROBLEM }),
    ),
  );
}

/** A read: with an ETag, and 304 when the caller has it already. */
export function AnswersRead(schema: z.ZodType, ...problems: readonly number[]) {
  return applyDecorators(
    Answers(200, schema, ...problems),
    ApiResponse({ status: 304, description: 'the caller has this content already' }),
    ApiHeader({ name: 'If-None-Match', required: false, schema: { type: 'string' } }),
  );
}

/** A write: its body is bounded and must be JSON. */
export function AnswersWrite(status: number, schema: z.ZodType | undefined, ...problems: readonly number[]) {
  return Answers(status, schema, 409, 413, 415, 501, ...problems);
}

export const PROBLEM_SCHEMA = problemAnswer;
