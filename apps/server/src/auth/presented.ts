import type { IncomingMessage } from 'node:http';
import type { Presented } from '#core';

/** What a request brings. */
export function presentedBy({ headers, socket }: IncomingMessage): Presented {
  return { headers, address: socket.remoteAddress ?? '' };
}

const BEARER = /^bearer +(\S+) *$/i;

/** The token of `Authorization: Bearer` (RFC 6750, section 2.1). */
export function bearerIn({ headers: { authorization } }: Presented): string | undefined {
  return typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
}

export const BEARER_CHALLENGE = 'Bearer realm="service-discovery"';
