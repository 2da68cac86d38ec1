import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { BackendError, type ErrorCode, type InputIssue } from '#core';

/** Members beyond those that every problem has. */
export interface ProblemExtras {
  readonly errors?: readonly InputIssue[];
  readonly candidates?: readonly object[];
  /** Of a document that is not as its writer has meant it; null: there is none. */
  readonly current_version?: number | null;
}

/** A refusal as callers get it: RFC 9457, with a stable `code`. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly extras: ProblemExtras = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }

  /** @param instance The path that was asked for. */
  body(instance: string): object {
    return {
      success: false,
      type: `urn:service-discovery:problem:${this.code.toLowerCase().replaceAll('_', '-')}`,
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      code: this.code,
      detail: this.detail,
      instance,
      ...this.extras,
    };
  }
}

export function notFound(detail: string, code = 'NOT_FOUND'): Problem {
  return new Problem(404, code, detail);
}

export function badRequest(detail: string, errors?: readonly InputIssue[], code = 'INVALID_REQUEST'): Problem {
  return new Problem(400, code, detail, errors ? { errors } : {});
}

/** What every error of every layer becomes. What none of them foresaw is a 500 that tells nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof BackendError) return ofBackend(error);
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error.message);
  if (isHttpError(error)) return ofStatus(error.statusCode, error.message, CODES_OF_PARSER[error.code ?? '']);
  return new Problem(500, 'INTERNAL', 'the request could not be answered; the log says why');
}

const RETRY_LATER = { 'Retry-After': '1' };
const OF_BACKEND: Readonly<Record<ErrorCode, { status: number; code: string; headers?: Record<string, string> }>> = {
  INVALID: { status: 400, code: 'INVALID_REQUEST' },
  NOT_FOUND: { status: 404, code: 'INSTANCE_NOT_FOUND' },
  CONFLICT: { status: 409, code: 'CONFLICT' },
  NOT_SUPPORTED: { status: 501, code: 'NOT_SUPPORTED' },
  UNAVAILABLE: { status: 503, code: 'REGISTRY_UNAVAILABLE', headers: RETRY_LATER },
  OUTCOME_UNKNOWN: { status: 503, code: 'OUTCOME_UNKNOWN', headers: RETRY_LATER },
  BUSY: { status: 503, code: 'BUSY', headers: RETRY_LATER },
};

function ofBackend(error: BackendError): Problem {
  const { status, code, headers } = OF_BACKEND[error.code];
  return new Problem(status, code, error.message, error.issues.length > 0 ? { errors: error.issues } : {}, headers);
}

const CODES_OF_PARSER: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'MALFORMED_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'MALFORMED_JSON',
};

const CODES_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  431: 'HEADERS_TOO_LARGE',
  503: 'SHUTTING_DOWN',
};

/** Of the router, the parser and the framework; a status that no caller can cause is theirs to be ashamed of. */
function ofStatus(status: number, message: string, code = CODES_OF_STATUS[status]): Problem {
  // The framework's own words repeat the path, however long it is.
  if (status === 414) return new Problem(414, 'PATH_TOO_LONG', 'a part of the path is too long');
  if (status >= 400 && status < 500) return new Problem(status, code ?? 'INVALID_REQUEST', message);
  if (status === 503) return new Problem(503, code ?? 'SHUTTING_DOWN', message, {}, RETRY_LATER);
  return new Problem(500, 'INTERNAL', 'the request could not be answered; the log says why');
}

function isHttpError(error: unknown): error is { statusCode: number; message: string; code?: string } {
  return error instanceof Error && typeof (error as { statusCode?: unknown }).statusCode === 'number';
}
