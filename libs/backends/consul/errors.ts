import type { IncomingHttpHeaders } from 'node:http';
import { BackendError } from '#core';
import { TLS_FAILURE } from '../shared/tls.js';

/** What the consul package throws: an answer that says no, or no answer. */
interface Failure extends Error {
  readonly response?: ConsulAnswer;
  readonly code?: string;
  /** OpenSSL's, in words. */
  readonly reason?: string;
}

export interface ConsulAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
}

/** Of what breaks before anything was sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** There was nobody to take a write. */
const NO_LEADER = /no cluster leader|not the leader|no known consul servers|failed to get conn/i;
const RATE_LIMIT = /rate limit exceeded/;

/** What transactions refuse with when a write of others was faster. */
export const LOST_RACE = /index is stale|current modify index|doesn't exist|" exists/;
/** And when the token may not. */
export const DENIED = /permission denied/i;

/** What a failed call means to who has asked. */
export function failureOf(error: unknown, what: 'read' | 'write'): BackendError {
  const failure = error as Failure;
  const code = what === 'write' && mayHaveHappened(failure) ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE';
  return new BackendError(code, messageOf(failure), { cause: failure });
}

/** Consul's answer of this status, if that is what failed. */
export function answerIn(error: unknown, status: number): ConsulAnswer | undefined {
  const response = answerOf(error);
  return response?.statusCode === status ? response : undefined;
}

/** Consul asks us to come back later; nothing happened. */
export function isThrottled(error: unknown): boolean {
  const answer = answerOf(error);
  return answer?.statusCode === 429 || (answer?.statusCode === 503 && RATE_LIMIT.test(textOf(answer.body) ?? ''));
}

/** A connection broke that nothing was to come of but an answer. */
export function isBroken(error: unknown): boolean {
  const failure = failureIn(error);
  return error instanceof BackendError && error.code === 'UNAVAILABLE' && failure?.code === 'ECONNRESET';
}

/** Consul has answered that it does not take this. */
export function isRejected(error: unknown): boolean {
  const status = answerOf(error)?.statusCode ?? 0;
  return status >= 400 && status < 500 && status !== 429;
}

/** What to look at when trying again mends nothing; undefined when it may. */
export function adviceOn(error: BackendError): string | undefined {
  if (DENIED.test(error.message) || answerIn(error, 403))
    return 'see CONSUL_TOKEN, and its policy in docs/backends/consul.md';
  if (TLS_FAILURE.test(failureIn(error)?.code ?? ''))
    return 'see CONSUL_TLS, CONSUL_TLS_CA, CONSUL_TLS_CERT and CONSUL_TLS_KEY';
  if (isRejected(error)) return 'see CONSUL_HOST, CONSUL_PORT and CONSUL_TLS';
  return error.code === 'NOT_SUPPORTED' ? 'see REGISTRY_PREFIX' : undefined;
}

function mayHaveHappened(failure: Failure): boolean {
  const { response, code = '', message } = failure;
  if (!response) return !NOT_SENT.has(code) && !TLS_FAILURE.test(code);
  return response.statusCode >= 500 && !isThrottled(failure) && !NO_LEADER.test(textOf(response.body) ?? message);
}

/** One line. */
function messageOf({ response, reason, message }: Failure): string {
  const said = response ? `${response.statusCode}: ${textOf(response.body) ?? message}` : (reason ?? message);
  return `consul: ${said.replace(/^consul: /, '').replace(/\s+/g, ' ')}`;
}

function textOf(body: unknown): string | undefined {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body.toString().trim().slice(0, 300) : undefined;
}

function failureIn(error: unknown): Failure | undefined {
  return (error instanceof BackendError ? error.cause : error) as Failure | undefined;
}

function answerOf(error: unknown): ConsulAnswer | undefined {
  return failureIn(error)?.response;
}
