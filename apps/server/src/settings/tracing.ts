import { z } from 'zod';
import { OTLP_PROTOCOLS, SAMPLERS, TRACE_EXPORTERS, type TracingOptions } from '#telemetry';
import type { Environment } from './environment.js';
import { decimal, httpUrl, integer, oneOf } from './fields.js';
import { readModuleOptions, type ModuleOptions } from './module-options.js';
import type { ProfileChoice } from './resolve.js';

const text = (description: string) => z.string().optional().meta({ description });
const credentials = (description: string) => z.string().optional().meta({ description, secret: true });
const url = (description: string) => httpUrl().optional().meta({ description });
const milliseconds = (fallback: string, description: string) =>
  integer(1)
    .prefault(fallback)
    .meta({ description: `milliseconds: ${description}` });

/**
 * The variables of OpenTelemetry that count here, by its own names. Without TRACING_ENABLED they are somebody else's,
 * and nobody looks at them. Those of the exporters these read by themselves.
 */
export const OPEN_TELEMETRY = z.object({
  OTEL_SERVICE_NAME: text('name of this server in traces; SERVICE_NAME by default'),
  OTEL_RESOURCE_ATTRIBUTES: text('what is said of this server with all its spans: `key=value`, parted by commas'),
  OTEL_TRACES_EXPORTER: oneOf(TRACE_EXPORTERS)
    .prefault('otlp')
    .meta({ description: `where spans go: ${TRACE_EXPORTERS.join(', ')}` }),
  OTEL_TRACES_SAMPLER: oneOf(SAMPLERS)
    .prefault('parentbased_always_on')
    .meta({ description: `which traces are recorded: ${SAMPLERS.join(', ')}` }),
  OTEL_TRACES_SAMPLER_ARG: decimal(0, 1).prefault('1').meta({ description: 'the share of the samplers by ratio' }),
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf(OTLP_PROTOCOLS)
    .prefault('http/protobuf')
    .meta({ description: `protocol of OTLP: ${OTLP_PROTOCOLS.join(', ')}` }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: oneOf(OTLP_PROTOCOLS)
    .optional()
    .meta({ description: 'goes before OTEL_EXPORTER_OTLP_PROTOCOL' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('collector; `http://localhost:4318`, by gRPC `http://localhost:4317` by default'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('goes before it, and is taken as it is: over HTTP with `/v1/traces`'),
  OTEL_EXPORTER_OTLP_HEADERS: credentials('headers for the collector: `key=value`, parted by commas'),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: credentials('go before them'),
  OTEL_EXPORTER_OTLP_TIMEOUT: milliseconds('10000', 'for an export'),
  OTEL_EXPORTER_OTLP_COMPRESSION: oneOf(['gzip', 'none']).prefault('none').meta({ description: 'of what is exported' }),
  OTEL_EXPORTER_OTLP_CERTIFICATE: text('PEM file of the CA of the collector'),
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: url('where Zipkin takes spans; `http://localhost:9411/api/v2/spans` by default'),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds('5000', 'between exports'),
  OTEL_BSP_EXPORT_TIMEOUT: milliseconds('30000', 'until an export is given up'),
  OTEL_BSP_MAX_QUEUE_SIZE: integer(1).prefault('2048').meta({ description: 'spans that wait; what is more is lost' }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: integer(1).prefault('512').meta({ description: 'spans in an export' }),
});

export function readTracing(environment: Environment, profile: ProfileChoice): ModuleOptions {
  return readModuleOptions(OPEN_TELEMETRY, environment, profile, { variable: 'TRACING_ENABLED' });
}

/** @param options What `readTracing` has read without a problem. */
export function toTracing(options: ModuleOptions['options'], serviceName: string): TracingOptions {
  const values = options as z.output<typeof OPEN_TELEMETRY>;
  return {
    serviceName,
    exporter: values.OTEL_TRACES_EXPORTER,
    protocol: values.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? values.OTEL_EXPORTER_OTLP_PROTOCOL,
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
    batch: {
      scheduledDelayMillis: values.OTEL_BSP_SCHEDULE_DELAY,
      exportTimeoutMillis: values.OTEL_BSP_EXPORT_TIMEOUT,
      maxQueueSize: values.OTEL_BSP_MAX_QUEUE_SIZE,
      maxExportBatchSize: values.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
    },
  };
}
