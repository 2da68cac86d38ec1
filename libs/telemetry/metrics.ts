import { setImmediate as turn } from 'node:timers/promises';
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client';
import type { Distribution } from './distribution.js';

/** Values of the labels by their names, as Prometheus has them. */
export type Labels = Readonly<Record<string, string>>;
export type Sample<Value = number> = readonly [labels: Labels, value: Value];

interface Line {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** A scrape lets others have their turn after this long. */
const SLICE_MS = 3;

/**
 * The metrics of one server. Each is asked for its values at every scrape, and must be cheap to ask: whoever counts,
 * counts in plain numbers of its own, so that what is counted costs next to nothing.
 *
 * Make it once a process: Node's observer of garbage collection, which the metrics of the process install, cannot be
 * taken away again.
 */
export class Metrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
  }

  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, () => [[NO_LABELS, read()]]);
  }

  gauges(name: string, help: string, read: () => Iterable<Sample>): void {
    this.add(name, help, 'gauge', () => Array.from(read(), toLine));
  }

  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, () => [[NO_LABELS, read()]]);
  }

  counters(name: string, help: string, read: () => Iterable<Sample>): void {
    this.add(name, help, 'counter', () => Array.from(read(), toLine));
  }

  histograms(name: string, help: string, read: () => Iterable<Sample<Distribution>>): void {
    this.add(name, help, 'histogram', () => Array.from(read(), (sample) => linesOf(name, sample)).flat());
  }

  /** Everything, in Prometheus' text format. Others have their turn meanwhile. */
  async exposition(): Promise<{ readonly contentType: string; readonly body: string }> {
    const parts: string[] = [];
    let began = performance.now();
    for (const { name } of this.registry.getMetricsAsArray()) {
      parts.push(await this.registry.getSingleMetricAsString(name));
      if (performance.now() - began < SLICE_MS) continue;
      await turn();
      began = performance.now();
    }
    return { contentType: this.registry.contentType, body: `${parts.join('\n')}\n` };
  }

  /** prom-client asks no more of a metric than this. Its own would look each value up by a hash of its labels. */
  private add(name: string, help: string, type: string, read: () => readonly Line[]): void {
    const metric = { name, help, type, get: () => ({ name, help, type, values: read() }) };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

/** Gauges that call themselves totals; each is the sum of another one that does not. */
const MISNAMED = ['handles', 'requests', 'resources'].map((each) => `nodejs_active_${each}_total`);

const NO_LABELS: Labels = {};

function toLine([labels, value]: Sample): Line {
  return { labels, value };
}

function linesOf(name: string, [labels, distribution]: Sample<Distribution>): readonly Line[] {
  const { buckets, sum } = distribution.totals();
  return [
    ...buckets.map(([le, value]) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: buckets.at(-1)![1] },
  ];
}
