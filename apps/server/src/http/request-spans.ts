import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TRACER } from '#telemetry';

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent where nothing is traced. */
    span?: Span;
  }
}

/**
 * A span for each request, which goes on with the trace of whoever asks (W3C Trace Context). Of the query it tells
 * nothing: tickets are in there.
 */
export function traceRequests(fastify: FastifyInstance): void {
  const tracer = trace.getTracer(TRACER);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    const name = url === undefined ? request.method : `${request.method} ${url}`;
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = (request.span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent));
    // Of most traces, none is kept.
    if (span.isRecording()) follow(span, request, reply);
    done();
  });
}

function follow(span: Span, { id, method, url, routeOptions }: FastifyRequest, { raw }: FastifyReply): void {
  span.setAttributes({
    'http.request.method': method,
    'url.path': url.split('?')[0],
    'http.route': routeOptions.url,
    'service_discovery.request_id': id,
  });
  // Whether the answer is whole or whoever asks has gone.
  raw.once('close', () => endSpan(span, raw.statusCode));
}

/** Of a stream, when it is open: what it tells comes of the changes. */
export function endSpan(span: Span, status: number): void {
  if (!span.isRecording()) return;
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
