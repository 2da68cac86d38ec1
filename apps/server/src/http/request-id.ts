import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { requestIdNow, tracedHeaders, withRequestId } from '#telemetry';

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
  fastify.addHook('preValidation', ({ id, span }, _reply, done) => {
    const base = span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
    context.with(withRequestId(base, id), done);
  });
}

/** For what is asked of another replica on behalf of the request in whose context this is called. */
export function originHeaders(): Record<string, string> {
  const id = requestIdNow();
  return { ...tracedHeaders(), ...(id !== undefined && { [REQUEST_ID]: id }) };
}
