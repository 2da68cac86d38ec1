import { context, createContextKey, isSpanContextValid, trace, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

// What a request leads to goes on in its context, through every `await`.
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const REQUEST_ID = createContextKey('request id');

/** The context, with the id of the request that it is of. */
export function withRequestId(of: Context, id: string): Context {
  return of.setValue(REQUEST_ID, id);
}

/** The id of the request in whose context this is called. */
export function requestIdNow(): string | undefined {
  return context.active().getValue(REQUEST_ID) as string | undefined;
}

/** What every line of the log says of where it comes from; nothing outside a request and a span. */
export function originFields(): { request_id?: string; trace_id?: string } {
  const id = requestIdNow();
  const traced = trace.getSpanContext(context.active());
  return {
    ...(id !== undefined && { request_id: id }),
    ...(traced && isSpanContextValid(traced) && { trace_id: traced.traceId }),
  };
}
