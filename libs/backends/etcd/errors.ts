import type { StatusObject } from '@grpc/grpc-js';
import {
  ClientClosedError,
  EtcdAuthenticationFailedError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotFoundError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
} from 'etcd3';
import { BackendError } from '#core';

/** What etcd answers when it has looked at a request and has not done it. Whatever else fails may have been done. */
const REFUSALS = [
  ClientClosedError,
  EtcdAuthenticationFailedError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCFailedPreconditionError,
  GRPCInvalidArgumentError,
  GRPCNotFoundError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
];

export function isRefusal(error: unknown): boolean {
  return REFUSALS.some((refusal) => error instanceof refusal);
}

const OLD_TOKEN = 'the token is of no use any more';

/**
 * Names what etcd says of a token that was good: a password was changed, users or roles were, or it has run out.
 * Were it left as it is, the client library would repeat the request for ever.
 */
export function oldTokenNamed(status: StatusObject): StatusObject {
  return /invalid auth token|(auth store|revision in header) is old/.test(status.details)
    ? { ...status, details: OLD_TOKEN }
    : status;
}

export function isOldToken(error: unknown): boolean {
  return String(error).includes(OLD_TOKEN);
}

/** What no waiting mends: somebody has to change our settings, or etcd's. */
export function isOurSettings(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return (
    cause instanceof EtcdAuthenticationFailedError ||
    cause instanceof EtcdPermissionDeniedError ||
    // What the members answer to a user where there are none, and to nobody where there are users.
    /authentication is not enabled|user name is empty/.test(String(cause)) ||
    // What Node and OpenSSL say of certificates.
    /certificate|SSL routines|SSL alert/i.test(String(cause))
  );
}

/** @param write Whether the request would have changed something. */
export function backendError(error: unknown, endpoint: string, write: boolean): BackendError {
  if (error instanceof BackendError) return error;
  const code = write && !isRefusal(error) ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE';
  return new BackendError(code, `etcd at ${endpoint}: ${reason(error)}`, { cause: error });
}

/** In one line, without what grpc and OpenSSL put around it, and the address that stands there anyway. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^(\d+ [A-Z_]+: )?(etcdserver: )?/, '')
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/,?remote_addr=\S+|\. Resolution note: .*$|\s+\(\d{4}-\d\d-\d\dT[^)]*\)/gs, '')
    .replace(/^\w+:error:\w+:SSL routines:\w*:([^:]+):.*$/s, 'TLS: $1')
    .trim();
}
