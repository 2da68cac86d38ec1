import type { Metrics } from '#telemetry';

type Counter = Metrics['httpRequests'];

/** Counts requests; keeps what counts for each combination of labels, which prom-client would look up by a hash of them. */
export class RequestCounter {
  private readonly kept = new Map<string, ReturnType<Counter['labels']>>();

  constructor(private readonly counter: Counter) {}

  count(method: string, route: string, status: number): void {
    const key = `${method} ${status} ${route}`;
    let kept = this.kept.get(key);
    if (!kept) this.kept.set(key, (kept = this.counter.labels({ method, route, status })));
    kept.inc();
  }
}
