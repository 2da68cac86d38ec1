import type { RegistryBackend } from '#core';
import type { Balancer } from '#balancing';
import type { Catalog } from '#catalog';
import type { Configuration } from '#configuration';
import { Metrics } from '#telemetry';
import type { Alerts } from '../alerts/alerts.js';
import type { Webhook } from '../alerts/webhook.js';
import type { Streams } from '../streams/index.js';
import type { AnswerTally } from './answer-tally.js';
import type { Census } from './census.js';
import type { ServiceSeries } from './service-series.js';
import type { Tallies } from './tallies.js';

/** Where the values come from. */
export type Sources = readonly [
  backend: RegistryBackend,
  balancer: Balancer,
  catalog: Catalog,
  configuration: Configuration | undefined,
  streams: Streams,
  answers: AnswerTally,
  census: Census,
  series: ServiceSeries,
  tallies: Tallies,
  alerts: Alerts,
  webhook: Webhook | undefined,
];

const PREFIX = 'service_discovery_';

/** Every metric of this server, by its name. docs/observability.md tells operators of each. */
export function serverMetrics(
  ...[backend, balancer, catalog, configuration, streams, answers, census, series, tallies, alerts, webhook]: Sources
): Metrics {
  const metrics = new Metrics();
  ofServices(metrics, census, series);
  ofEvents(metrics, tallies, balancer);
  ofAlerts(metrics, alerts, webhook);
  ofView(metrics, catalog, tallies);
  if (configuration) ofConfiguration(metrics, configuration, tallies);
  ofRegistry(metrics, backend, catalog, tallies);
  ofRequests(metrics, tallies, answers);
  ofWaiting(metrics, catalog, streams);
  ofChecks(metrics, tallies);
  return metrics;
}

function ofServices(metrics: Metrics, census: Census, series: ServiceSeries): void {
  // A gauge by nature, whatever its name says: dashboards know it by this one.
  const services = `${PREFIX}registered_services_total`;
  metrics.gauge(services, 'Services that have an instance registered now.', () => census.serviceCount);
  const ratio = 'Healthy instances among all; 1 while there is none.';
  metrics.gauge(`${PREFIX}healthy_instances_ratio`, ratio, () => census.healthyRatio);
  const unhealthy = 'Services that have instances, and no healthy one.';
  metrics.gauge(`${PREFIX}services_without_healthy_instances`, unhealthy, () => census.servicesWithoutHealthy.size);
  metrics.gauges('active_service_instances', 'Instances now, by service and status.', () => series.instances());
  const registrations = 'Registrations taken here, by service.';
  metrics.counters('service_registrations_total', registrations, () => series.registrations.samples());
  const discoveries = 'Reads and picks of one service, by service.';
  metrics.counters('service_discoveries_total', discoveries, () => series.discoveries.samples());
}

function ofEvents(metrics: Metrics, { events }: Tallies, balancer: Balancer): void {
  metrics.counters(`${PREFIX}instance_events_total`, 'What has happened to instances, by cause.', () => events);
  metrics.counters(`${PREFIX}picks_total`, 'Balanced picks, by strategy.', () =>
    Array.from(balancer.picks, ([strategy, count]) => [{ strategy }, count]),
  );
}

function ofAlerts(metrics: Metrics, alerts: Alerts, webhook: Webhook | undefined): void {
  metrics.counters(`${PREFIX}alerts_total`, 'Alerts that were raised, by their name.', () => alerts.raisedSoFar);
  metrics.gauges(`${PREFIX}alerts_active`, 'Alerts that are not over yet, by their name.', () => alerts.samples());
  if (!webhook) return;
  const deliveries = 'Alerts that were told by webhook (ok), or could not be (dropped).';
  metrics.counters(`${PREFIX}webhook_deliveries_total`, deliveries, () => webhook.deliveries);
}

function ofView(metrics: Metrics, catalog: Catalog, { propagation }: Tallies): void {
  metrics.gauge(`${PREFIX}held_instances`, 'Instances held after a mass loss.', () => catalog.heldInstances);
  const live = 'The view is in step with the registry (1), or not (0).';
  metrics.gauge(`${PREFIX}view_live`, live, () => Number(catalog.live));
  const age = 'Since the view was last known to be in step with the registry; 0 while it is.';
  metrics.gauge(`${PREFIX}view_age_seconds`, age, () => catalog.freshnessNow().ageMs / 1_000);
  const lag = 'From a change, by the clock of whoever made it, until it was seen here.';
  metrics.histograms(`${PREFIX}propagation_seconds`, lag, () => [[{}, propagation]]);
}

function ofConfiguration(metrics: Metrics, { view }: Configuration, { configuration }: Tallies): void {
  metrics.gauge(`${PREFIX}config_documents`, 'Documents and schemas that are known here.', () => view.size);
  const versions = 'Versions of documents that were seen here, by cause.';
  metrics.counters(`${PREFIX}config_versions_total`, versions, () => configuration);
}

function ofRegistry(metrics: Metrics, registry: RegistryBackend, catalog: Catalog, tallies: Tallies): void {
  const { type: backend } = registry.capabilities;
  metrics.gauges(`${PREFIX}registry_up`, 'The registry answers, and takes writes (1), or not (0).', () => [
    [{ backend }, Number(catalog.live && registry.trouble?.() === undefined)],
  ]);
  const operations = 'What was asked of the registry, and how it ended.';
  metrics.counters(`${PREFIX}registry_operations_total`, operations, () => tallies.operations);
  const durations = 'How long that took.';
  metrics.histograms(`${PREFIX}registry_operation_duration_seconds`, durations, () => tallies.operationDurations);
}

function ofRequests(metrics: Metrics, { http }: Tallies, answers: AnswerTally): void {
  const requests = 'HTTP requests answered, by route as it is declared.';
  metrics.counters(`${PREFIX}http_requests_total`, requests, () => http.requests());
  const durations = 'How long answers took; without those that were to wait for a change, and streams.';
  metrics.histograms(`${PREFIX}http_request_duration_seconds`, durations, () => http.durations());
  const reads = 'Reads answered from a ready answer (hit), or made anew (miss).';
  metrics.counters(`${PREFIX}cache_requests_total`, reads, () => [
    [{ result: 'hit' }, answers.hits],
    [{ result: 'miss' }, answers.misses],
  ]);
  const ratio = 'Of the reads since the start, those from a ready answer.';
  metrics.gauge(`${PREFIX}cache_hit_ratio`, ratio, () => answers.hitRatio);
}

function ofWaiting(metrics: Metrics, catalog: Catalog, streams: Streams): void {
  metrics.gauge(`${PREFIX}waiting_requests`, 'Requests that wait for a change.', () => catalog.waiting);
  metrics.gauge(`${PREFIX}open_streams`, 'Streams that are open.', () => streams.size);
}

function ofChecks(metrics: Metrics, { probes }: Tallies): void {
  const help = 'How long probes took, by the type of check and what came of it.';
  for (const name of [`${PREFIX}health_check_duration_seconds`, 'health_check_duration_seconds'])
    metrics.histograms(name, help, () => probes);
}
