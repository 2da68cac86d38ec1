import { SpanKind, trace } from '@opentelemetry/api';
import { asBackendError } from '#core';
import { inSpan } from '#telemetry';
import type { Observer } from './observed.js';

/** Spans of what is asked of a registry of this type on somebody's behalf: looking after it is nobody's trace. */
export function traced(type: string): Observer {
  return ({ name, key }, work) => {
    if (!trace.getActiveSpan()) return work();
    const attributes = {
      'db.system.name': type,
      'db.operation.name': name,
      ...(key && { 'service_discovery.service': key.serviceName, 'service_discovery.instance': key.serviceId }),
    };
    return inSpan(`${type} ${name}`, { kind: SpanKind.CLIENT, attributes }, work, codeOf);
  };
}

function codeOf(error: unknown): string {
  return asBackendError(error).code;
}
