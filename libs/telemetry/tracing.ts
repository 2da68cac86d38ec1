import { context, propagation, SpanStatusCode, trace, type Span, type SpanOptions } from '@opentelemetry/api';
import type { Logger } from '#core';
import type { Tracing, TracingOptions } from './tracing-options.js';

/** The name of what makes our spans. */
export const TRACER = 'service-discovery';

/** Makes spans of what is only marked with them else. The SDK is loaded now: it takes a while, and memory. */
export async function startTracing(options: TracingOptions, logger: Logger): Promise<Tracing> {
  const { start } = await import('./tracing-sdk.js');
  return start(options, logger);
}

/** Tells whoever is asked which trace it comes from (W3C Trace Context); nothing where there is none. */
export function tracedHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** Does something within a span, which ends with it; a failure is marked by what `codeOf` makes of it, without its words. */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
  codeOf: (error: unknown) => string,
): Promise<T> {
  return trace.getTracer(TRACER).startActiveSpan(name, options, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', codeOf(error));
      throw error;
    } finally {
      span.end();
    }
  });
}
