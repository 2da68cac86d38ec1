import type { FastifyRequest } from 'fastify';
import type { Actor } from '#core';

/** Who asks, for what is stored with a change. There is no authentication yet: only an address is known. */
export function actorOf(request: FastifyRequest): Actor {
  return `anonymous@${request.ip}`;
}

/** Names what a caller may see: answers are cached apart for each. Without authentication all see all. */
export function visibilityOf(_request: FastifyRequest): string {
  return 'all';
}
