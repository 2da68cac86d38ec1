import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { Environment } from './process.js';
import { until } from './until.js';

/** A span as it has arrived, by whichever protocol. */
export interface Received {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Where spans arrive. */
export interface Collector {
  readonly spans: readonly Received[];
  /** By which a server finds it. */
  readonly environment: Environment;
  stop(): Promise<void>;
}

/** What is looked at of opentelemetry-proto, by its numbers. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    repeated KeyValue attributes = 9;
  }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`);
const REQUEST = root.lookupType('Request');

interface KeyValue {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>>;
}
interface Decoded {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: Uint8Array;
        readonly spanId: Uint8Array;
        readonly parentSpanId?: Uint8Array;
        readonly name: string;
        readonly attributes?: readonly KeyValue[];
      }[];
    }[];
  }[];
}

function decode(bytes: Buffer): Received[] {
  const { resourceSpans } = REQUEST.decode(bytes) as unknown as Decoded;
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = valuesOf(resource.attributes)['service.name']!;
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, attributes = [] }) => ({
        traceId: hex(traceId),
        id: hex(spanId),
        parentId: parentSpanId && parentSpanId.length > 0 ? hex(parentSpanId) : undefined,
        name,
        service,
        attributes: valuesOf(attributes),
      })),
    );
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value = {} }) => [key, String(Object.values(value)[0])]));
}

async function overHttp(
  path: string,
  read: (body: Buffer) => Received[],
  environment: (url: string) => Environment,
): Promise<Collector> {
  const spans: Received[] = [];
  const server: HttpServer = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const wanted = request.url === path && request.method === 'POST';
      if (wanted) spans.push(...read(Buffer.concat(chunks)));
      response.writeHead(wanted ? 200 : 404).end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { spans, environment: environment(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), stop };
}

const ON = { TRACING_ENABLED: 'true', OTEL_BSP_SCHEDULE_DELAY: '50' };

export const COLLECTORS: readonly { readonly protocol: string; start(): Promise<Collector> }[] = [
  {
    protocol: 'OTLP over HTTP',
    start: () => overHttp('/v1/traces', decode, (url) => ({ ...ON, OTEL_EXPORTER_OTLP_ENDPOINT: url })),
  },
  { protocol: 'OTLP over gRPC', start: overGrpc },
  {
    protocol: 'Zipkin',
    start: () =>
      overHttp('/api/v2/spans', ofZipkin, (url) => ({
        ...ON,
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${url}/api/v2/spans`,
      })),
  },
];

interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags: Readonly<Record<string, string>>;
}

function ofZipkin(body: Buffer): Received[] {
  return (JSON.parse(body.toString()) as ZipkinSpan[]).map(({ localEndpoint, tags, parentId, ...span }) => ({
    ...span,
    parentId,
    service: localEndpoint.serviceName,
    attributes: tags,
  }));
}

async function overGrpc(): Promise<Collector> {
  const spans: Received[] = [];
  const server = new GrpcServer();
  const definition = {
    Export: {
      path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      requestStream: false,
      responseStream: false,
      requestDeserialize: decode,
      requestSerialize: () => Buffer.alloc(0),
      responseSerialize: () => Buffer.alloc(0),
      responseDeserialize: () => ({}),
    },
  };
  server.addService(definition, {
    Export: (call: { request: Received[] }, answer: (error: null, value: object) => void) => {
      spans.push(...call.request);
      answer(null, {});
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const environment = {
    ...ON,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  };
  return { spans, environment, stop: async () => server.forceShutdown() };
}

/** The span that fits, arrived or to come. */
export async function spanOf({ spans }: Collector, fits: (span: Received) => boolean): Promise<Received> {
  await until(() => spans.some(fits), 60_000);
  return spans.find(fits)!;
}
