import type { RefusedError, ServersUnavailableError } from '#client';

// By name, so that the client library is loaded by who talks to a server alone.

export function isRefused(error: unknown): error is RefusedError {
  return error instanceof Error && error.name === 'RefusedError';
}

export function isUnavailable(error: unknown): error is ServersUnavailableError {
  return error instanceof Error && error.name === 'ServersUnavailableError';
}
