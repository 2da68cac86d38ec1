import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiResponse } from '../docs/decorators.js';
import type { z } from 'zod';

const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

function header(description: string, schema: object = { type: 'string' }, required = true) {
  return { description, schema, required };
}

const FRESHNESS = {
  'X-Registry-Revision': header('EPOCH.N of this process’s view', {
    type: 'string',
    pattern: '^[0-9a-f]+\\.[0-9]+$',
  }),
  'X-Registry-Age': header('milliseconds since the view was in step; 0 while it is', { type: 'integer', minimum: 0 }),
  'X-Registry-Source': header('what the view is; none: a write was taken before there was one', {
    type: 'string',
    enum: ['live', 'stale', 'snapshot', 'none'],
  }),
};
const { 'X-Registry-Age': AGE, 'X-Registry-Source': SOURCE } = FRESHNESS;
/** Configuration has a view of its own, and versions in the place of revisions. */
const CONFIG_FRESHNESS = { 'X-Registry-Age': AGE, 'X-Registry-Source': SOURCE };
const HELD = { 'X-Registry-Held': header('some of it was lost and is held for a while', { enum: ['true'] }, false) };
const ETAG = { ETag: header('of the content, without what moves all the time') };
const RETRY_AFTER = { 'Retry-After': header('seconds', { type: 'integer', minimum: 0 }) };

/** What any request can meet. */
const ANYWHERE = [400, 431, 500];

export function Problems(...statuses: readonly number[]) {
  return applyDecorators(
    ...[...new Set(statuses)].map((status) =>
      ApiResponse({
        status,
        description: 'a problem (RFC 9457)',
        content: PROBLEM,
        ...([429, 503].includes(status) && { headers: RETRY_AFTER }),
      }),
    ),
  );
}

interface Success {
  readonly status: number;
  readonly schema?: z.ZodType;
  /** Beside those of freshness. */
  readonly headers?: object;
  readonly freshness?: object;
}

function Documented({ status, schema, headers, freshness = FRESHNESS }: Success, problems: readonly number[]) {
  return applyDecorators(
    HttpCode(status),
    ApiResponse({
      status,
      description: 'success',
      headers: { ...freshness, ...headers },
      ...(schema && { standardSchema: schema }),
    }),
    Problems(...problems, ...ANYWHERE, 406, 414, 503),
  );
}

/** What a route answers: a success of this shape, and problems of these statuses. */
export function Answers(status: number, schema: z.ZodType | undefined, ...problems: readonly number[]) {
  return Documented({ status, schema }, problems);
}

/** A read: with an ETag, and 304 when the caller has it already. */
export function AnswersRead(schema: z.ZodType, ...problems: readonly number[]) {
  return Read({ status: 200, schema, headers: { ...ETAG, ...HELD } }, problems);
}

/** A read of configuration. */
export function AnswersConfig(schema: z.ZodType, ...problems: readonly number[]) {
  return Read({ status: 200, schema, headers: ETAG, freshness: CONFIG_FRESHNESS }, [404, 501, ...problems]);
}

/** A write to configuration, which its caller may bind to a version. */
export function AnswersConfigWrite(statuses: readonly number[], schema: z.ZodType | undefined, ...problems: number[]) {
  const headers = schema ? ETAG : undefined;
  const condition = (name: string, description: string) =>
    ApiHeader({ name, description, required: false, schema: { type: 'string' } });
  return applyDecorators(
    ...statuses.map((status) =>
      Documented({ status, schema, headers, freshness: CONFIG_FRESHNESS }, [412, 413, 415, 501, ...problems]),
    ),
    condition('If-Match', 'the version that must be there, "7", or * for any: 412 when it is not'),
    condition('If-None-Match', '*: 412 when there is a document'),
  );
}

function Read(success: Success, problems: readonly number[]) {
  const { headers, freshness = FRESHNESS } = success;
  return applyDecorators(
    Documented(success, problems),
    ApiResponse({ status: 304, description: 'the caller has this content', headers: { ...freshness, ...headers } }),
    ApiHeader({
      name: 'If-None-Match',
      description: 'ETags that the caller has the content of, or *',
      required: false,
      schema: { type: 'string' },
    }),
  );
}

/** A pick: never the same for long. */
export function AnswersPick(schema: z.ZodType, ...problems: readonly number[]) {
  const uncached = { 'Cache-Control': header('not to be kept', { enum: ['no-store'] }) };
  return Documented({ status: 200, schema, headers: { ...uncached, ...HELD } }, problems);
}

/** A write: its body is bounded and must be JSON. */
export function AnswersWrite(status: number, schema: z.ZodType | undefined, ...problems: readonly number[]) {
  return Answers(status, schema, 409, 413, 415, 501, ...problems);
}

/** What this server says of itself, outside the API: no envelope, and the same shape when it is not well. */
export function AnswersOfItself(schema: z.ZodType, ...unwell: readonly 503[]) {
  return applyDecorators(
    ApiResponse({ status: 200, description: 'success', standardSchema: schema }),
    ...unwell.map((status) =>
      ApiResponse({ status, description: 'not ready to answer', headers: RETRY_AFTER, standardSchema: schema }),
    ),
    Problems(...ANYWHERE),
  );
}

/** One event of a stream, as its reader has it. OpenAPI 3.1 has no words for a stream of them. */
const EVENT = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'from here on, for whoever comes back' },
    event: { type: 'string' },
    data: { type: 'string', contentMediaType: 'application/json' },
  },
  required: ['event', 'data'],
};

/** A stream of events, which does not end by itself. */
export function AnswersStream(...problems: readonly number[]) {
  return applyDecorators(
    ApiResponse({
      status: 200,
      description: 'events, one JSON object each, until the connection ends',
      content: { 'text/event-stream': { schema: EVENT } },
    }),
    ApiResponse({
      status: 101,
      description: 'a WebSocket, for whoever asks for one: the same objects, a message each',
    }),
    ApiHeader({
      name: 'Last-Event-ID',
      description: 'the revision that was told last, of somebody who comes back',
      required: false,
      schema: { type: 'string' },
    }),
    Problems(...ANYWHERE, 406, 414, 503, ...problems),
  );
}

/** Text in another format than JSON. */
export function AnswersText(type: string, ...problems: readonly number[]) {
  return applyDecorators(
    ApiResponse({ status: 200, description: 'success', content: { [type]: { schema: { type: 'string' } } } }),
    Problems(...problems, ...ANYWHERE),
  );
}

/** `metadata.KEY=VALUE`, as often as there are keys: an object whose members are the parameters themselves. */
export function FiltersByMetadata() {
  return ApiQuery({
    name: 'metadata',
    description: 'metadata.KEY=VALUE, for any number of keys: instances whose metadata have these values',
    required: false,
    style: 'form',
    explode: true,
    schema: {
      type: 'object',
      propertyNames: { pattern: '^metadata\\.[^.]' },
      additionalProperties: { type: 'string' },
    } as object,
    example: { 'metadata.version': '1.0' },
  });
}

/** A write that its caller may bind to what it has seen. */
export function TakesIfMatch() {
  return ApiHeader({
    name: 'If-Match',
    description: 'ETags of the instance as it was read, or *: 412 when it is none of these any more',
    required: false,
    schema: { type: 'string' },
  });
}
