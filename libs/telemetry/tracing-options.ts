export const TRACE_EXPORTERS = ['otlp', 'zipkin', 'none'] as const;
export const OTLP_PROTOCOLS = ['http/protobuf', 'grpc'] as const;
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** What we pass on by ourselves; where to and with which credentials the exporters read from the environment. */
export interface TracingOptions {
  /** `service.name`, where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name none. */
  readonly serviceName: string;
  readonly exporter: (typeof TRACE_EXPORTERS)[number];
  readonly protocol: (typeof OTLP_PROTOCOLS)[number];
  readonly sampler: (typeof SAMPLERS)[number];
  /** Of the samplers by ratio: 0–1. */
  readonly ratio: number;
  readonly batch: {
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
  };
}

export interface Tracing {
  /** Sends what is not sent yet, as far as that takes no longer than a moment. */
  stop(): Promise<void>;
}
