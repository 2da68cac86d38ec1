import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricsOptions {
  /** Put before the names of the metrics of the process, such as `process_cpu_seconds_total`. None by default. */
  readonly prefix?: string;
  /** Services that have an instance now. Asked at every scrape, as is the next: must be cheap and must not throw. */
  readonly registeredServices: () => number;
  /** Instances that mass loss protection holds now. */
  readonly heldInstances: () => number;
  /** Requests that wait for a change now. */
  readonly waitingRequests: () => number;
  /** Streams that are open now. */
  readonly openStreams: () => number;
}

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * The metrics of one server, in a registry of their own. Call it once a process: Node's observer of
 * garbage collection, which the metrics of the process install, cannot be taken away again.
 */
export function createMetrics(options: MetricsOptions) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, ...(options.prefix !== undefined && { prefix: options.prefix }) });

  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  // A gauge by nature, whatever its name says: dashboards know it by this one.
  gauge(
    'service_discovery_registered_services_total',
    'Services that have an instance registered now.',
    options.registeredServices,
  );
  gauge('service_discovery_held_instances', 'Instances held after a mass loss.', options.heldInstances);
  gauge('service_discovery_waiting_requests', 'Requests that wait for a change.', options.waitingRequests);
  gauge('service_discovery_open_streams', 'Streams that are open.', options.openStreams);

  return {
    loadAlerts: new Counter({
      name: 'service_discovery_load_alerts_total',
      help: 'Times that the load of an instance crossed the critical threshold.',
      registers,
    }),
    httpRequests: new Counter({
      name: 'service_discovery_http_requests_total',
      help: 'HTTP requests answered, by route as it is declared.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    probes: new Histogram({
      name: 'service_discovery_health_check_duration_seconds',
      help: 'How long probes took, by the type of check and what came of it.',
      labelNames: ['type', 'result'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers,
    }),
    /** Everything, in Prometheus' text format. */
    async exposition(): Promise<{ contentType: string; body: string }> {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
