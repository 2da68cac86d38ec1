import { BackendError, type ErrorCode } from '#core';
import { TLS_FAILURE } from '../shared/tls.js';

/** What the API server has answered in place of what was asked for. */
export class ApiError extends BackendError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly status: number,
    readonly retryAfterMs?: number,
  ) {
    super(code, message);
  }
}

/** What has been looked at and not been done. After another status a write may have been done. */
const REFUSALS = new Set([400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503]);

/** @param write Whether the request would have changed something. */
export function refusal(status: number, text: string, asked: string, write: boolean, retryAfter?: string): ApiError {
  const code = write && !REFUSALS.has(status) ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE';
  const wait = Number(retryAfter);
  const message = `Kubernetes refuses to ${asked}: ${status} ${messageIn(text)}`;
  return new ApiError(code, message, status, wait > 0 ? wait * 1_000 : undefined);
}

/** Of the object `Status` that errors are told with. */
function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // A proxy's, say.
  }
  return text.slice(0, 200);
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}

/** What no waiting mends: somebody has to change our settings, or Kubernetes'. */
export function isOurSettings(error: unknown): boolean {
  if (hasStatus(error, 401, 403)) return true;
  const { code = '' } = ((error as { cause?: unknown }).cause ?? {}) as { code?: string };
  return TLS_FAILURE.test(code);
}
