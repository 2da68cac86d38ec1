import type { FastifyRequest } from 'fastify';

/**
 * A page from elsewhere asks, in its visitor's browser. For a WebSocket nothing but the server's own refusal keeps it
 * from reading the answer (RFC 6455, section 10.2). Who is no browser names no origin.
 */
export function isForeign({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
