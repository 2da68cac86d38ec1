export { ZipkinExporter as Exporter } from '@opentelemetry/exporter-zipkin';
