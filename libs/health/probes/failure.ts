import type { ProbeResult } from '#core';
import { clipped } from '../text.js';

/** This host is out of something: it says nothing of the instance, and must not take thousands down. */
const OURS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'LOOKUP_QUEUED']);

/**
 * A probe that ended in an error, as a result: the signal's reason where that is what ended it.
 * @throws The error where it is this host's own trouble.
 */
export function failure(what: string, error: unknown, signal: AbortSignal): ProbeResult {
  if (OURS.has(codeOf(error))) throw error;
  return { status: 'critical', output: clipped(`${what}: ${reasonOf(signal.aborted ? signal.reason : error)}`) };
}

function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && 'code' in first ? String(first.code) : '';
}

/** Of a name with several addresses, each has failed by itself. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message || codeOf(error) || error.name;
}
