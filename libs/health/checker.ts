import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { keyOf, type HealthStatus, type Logger, type ProbeResult } from '#core';
import { BRIEF_MS, FairGate } from './fair-gate.js';
import type { ProbeAttempt, ProbeRunner } from './probe-runner.js';
import { reportOn, type CheckReport } from './report.js';
import type { HealthSink } from './sink.js';
import type { StatusWriter } from './status-writer.js';
import { afterProbe } from './thresholds.js';
import type { Underway } from './underway.js';
import type { Watched } from './watched.js';

/** Told of every probe; `error` when it could not be made. */
export type ProbeObserver = (type: string, durationMs: number, status: HealthStatus | 'error') => void;

/** So many times as many as may begin at once may wait for an answer: an open connection costs little. */
const WAITING_FACTOR = 16;

export interface CheckerOptions {
  readonly runner: ProbeRunner;
  readonly writer: StatusWriter;
  readonly sink: HealthSink;
  readonly underway: Underway;
  readonly logger: Logger;
  readonly concurrency: number;
  readonly now: () => number;
  readonly onProbe: ProbeObserver | undefined;
}

const tracer = trace.getTracer('service-discovery');

/** Makes one check at a time of each instance, so many at once of all, and draws the conclusions. */
export class Checker {
  private readonly gate: FairGate;
  /** For probes of which each costs much to its end. */
  private readonly narrowGate: FairGate;

  constructor(private readonly options: CheckerOptions) {
    const { concurrency: places } = options;
    this.gate = new FairGate({ places, total: places * WAITING_FACTOR });
    this.narrowGate = new FairGate({ places, total: places });
  }

  /** The check that is under way, or a new one. Rejects with the reason when its flight is aborted. */
  check(watched: Watched): Promise<CheckReport> {
    if (watched.flight) return watched.flight.report;
    const abort = new AbortController();
    const gate = this.options.runner.isCostly(watched.check.type) ? this.narrowGate : this.gate;
    const entrant = { lane: watched.instance.serviceName, doubtful: isDead(watched) };
    // Whoever leaves the gate lets the next one in, whose context is its own all the same.
    const fly = context.bind(context.active(), () => this.fly(watched, abort.signal));
    const report = gate.run(entrant, fly).finally(() => (watched.flight = undefined));
    watched.flight = { abort, report };
    return this.options.underway.add(report);
  }

  private fly(watched: Watched, signal: AbortSignal): Promise<CheckReport> {
    const { instance, check } = watched;
    const attributes = {
      'service_discovery.service': instance.serviceName,
      'service_discovery.instance': instance.serviceId,
      'server.address': instance.address,
      'server.port': instance.port,
    };
    return tracer.startActiveSpan(`probe ${check.type}`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        const report = await this.probe(watched, signal);
        if (report.status === 'critical') span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('service_discovery.status', report.status);
        return report;
      } finally {
        span.end();
      }
    });
  }

  private async probe(watched: Watched, signal: AbortSignal): Promise<CheckReport> {
    signal.throwIfAborted();
    const attempt = await this.options.runner.run(watched.instance, watched.check, signal);
    // Aborted: what was found is about something that is not there any more.
    signal.throwIfAborted();
    this.conclude(watched, attempt);
    const status = 'result' in attempt ? attempt.result.status : 'error';
    this.options.onProbe?.(watched.check.type, attempt.durationMs, status);
    return (watched.report = reportOn(watched, attempt, this.options.now()));
  }

  private conclude(watched: Watched, attempt: ProbeAttempt): void {
    if ('result' in attempt) this.take(watched, attempt.result);
    else if (!watched.faulty) {
      const fields = { ...keyOf(watched.instance), type: watched.check.type, error: attempt.error.message };
      this.options.logger.warn(fields, 'health check cannot be made: the status stays as it is');
    }
    watched.faulty = 'error' in attempt;
  }

  private take(watched: Watched, result: ProbeResult): void {
    const { writer, sink, now } = this.options;
    watched.thresholds = afterProbe(watched.thresholds, result.status, watched.check);
    watched.result = result;
    const load = result.loadPercentage;
    const at = now();
    sink.observe(keyOf(watched.instance), {
      lastHealthCheck: at,
      ...(load !== undefined && { loadPercentage: load, loadAt: at }),
    });
    writer.settle(watched);
  }
}

/** Down, and for all that is known it leaves those hanging who ask. */
function isDead({ status, report }: Watched): boolean {
  return status === 'critical' && (report?.durationMs ?? Infinity) >= BRIEF_MS;
}
