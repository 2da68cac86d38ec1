import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '#core';

/** An exporter whose failing is told once, and its recovery: an outage of the collector is no flood in the log. */
export class ToldExporter implements SpanExporter {
  private failing = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly logger: Logger,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.see(result.code === ExportResultCode.SUCCESS, result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  private see(ok: boolean, error: Error | undefined): void {
    if (ok !== this.failing) return;
    this.failing = !ok;
    if (ok) this.logger.info({}, 'spans are exported again');
    else this.logger.warn({ reason: error?.message }, 'spans cannot be exported: they are lost until that works');
  }
}
