/**
 * What can go wrong between us and a registry, in the words that every layer shares.
 *
 * - `INVALID`: the request breaks a limit; `issues` say where.
 * - `NOT_FOUND`: no such instance now. After a deregistration or expiry this is final until somebody
 *   registers again.
 * - `CONFLICT`: the caller's `ifVersion` is not the version any more, or the record is not ours to write.
 * - `NOT_SUPPORTED`: this registry cannot do it; the message says why.
 * - `UNAVAILABLE`: the registry did not take the request; nothing happened; try again later.
 * - `OUTCOME_UNKNOWN`: the registry went away in the middle; it may have happened.
 * - `BUSY`: we refuse more work than we can hold, or have lost too many races; nothing happened.
 */
export const ERROR_CODES = [
  'INVALID',
  'NOT_FOUND',
  'CONFLICT',
  'NOT_SUPPORTED',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'BUSY',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where an input is wrong, and what would be right. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

export class BackendError extends Error {
  override readonly name = 'BackendError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: { readonly issues?: readonly InputIssue[]; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
  }

  get issues(): readonly InputIssue[] {
    return this.details.issues ?? [];
  }
}

/**
 * Any thrown value as a BackendError. What is not one already counts as `otherwise`: UNAVAILABLE for
 * a read or a write that had not begun, OUTCOME_UNKNOWN for a write that had.
 */
export function asBackendError(
  error: unknown,
  otherwise: 'UNAVAILABLE' | 'OUTCOME_UNKNOWN' = 'UNAVAILABLE',
): BackendError {
  if (error instanceof BackendError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BackendError(otherwise, message, { cause: error });
}
