import { propagation, trace } from '@opentelemetry/api';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '#core';
import { ToldExporter } from './told-exporter.js';
import type { Tracing, TracingOptions } from './tracing-options.js';

/** Longer than a collector that is there takes. */
const FLUSH_MS = 3_000;

// The only module that loads the SDK.

export async function start(options: TracingOptions, logger: Logger): Promise<Tracing> {
  const exporter = await exporterOf(options);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    sampler: samplerOf(options),
    spanProcessors: exporter
      ? [new BatchSpanProcessor({ exporter: new ToldExporter(exporter, logger), ...options.batch })]
      : [],
  });
  // What goes wrong is a failed export, which is told already.
  setGlobalErrorHandler(() => undefined);
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return { stop: () => within(FLUSH_MS, provider.shutdown()) };
}

/** Each a module of ours: of CommonJS that is imported late, a bundle knows no names. */
const EXPORTERS = {
  'http/protobuf': () => import('./exporters/otlp-http.js'),
  grpc: () => import('./exporters/otlp-grpc.js'),
  zipkin: () => import('./exporters/zipkin.js'),
};

async function exporterOf({ exporter, protocol }: TracingOptions): Promise<SpanExporter | undefined> {
  if (exporter === 'none') return undefined;
  const { Exporter } = await EXPORTERS[exporter === 'otlp' ? protocol : exporter]();
  return new Exporter();
}

function samplerOf({ sampler, ratio }: TracingOptions): Sampler {
  const roots = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  };
  const name = sampler.replace('parentbased_', '') as keyof typeof roots;
  const root = roots[name]();
  return name === sampler ? root : new ParentBasedSampler({ root });
}

/** A collector that does not answer holds nobody up. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
