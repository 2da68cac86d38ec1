import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { context } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { withRequestId } from '#telemetry';

/** Of the request, and given back in the answer. */
export const REQUEST_ID = 'X-Request-Id';

/** What goes through headers, logs and people's hands as it is. */
const SANE = /^[\w.:@/+=-]{1,128}$/;

/** The id that whoever asks has given, or one of our own. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID();
}

/** Lets handlers, and what they lead to, run in the context of their request: events of the body come in another one. */
export function enterContexts(fastify: FastifyInstance): void {
  fastify.addHook('preValidation', (request, _reply, done) => {
    context.with(withRequestId(context.active(), request.id), done);
  });
}
