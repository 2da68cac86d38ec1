import { SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { CallEvents } from './communicator/communicator.js';

/**
 * A span of each attempt, below the one that is active where the call is made, and an event of each breaker. The
 * headers that carry a trace on are the HTTP instrumentation's.
 */
export function callSpans(tracer: Tracer): CallEvents {
  return {
    attempt: ({ service, serviceId, ok, late, durationMs, number, hedge }) => {
      const end = Date.now();
      const span = tracer.startSpan(`call ${service}`, {
        kind: SpanKind.INTERNAL,
        startTime: end - durationMs,
        attributes: {
          'service_discovery.service': service,
          'service_discovery.instance': serviceId,
          'service_discovery.attempt': number,
          'service_discovery.hedge': hedge,
        },
      });
      if (!ok && !late) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(end);
    },
    breaker: ({ key, open }) => {
      const attributes = { 'service_discovery.breaker': key };
      trace.getActiveSpan()?.addEvent(open ? 'breaker opened' : 'breaker closed', attributes);
    },
  };
}
