import type { Provider } from '@nestjs/common';
import { Balancer } from '#balancing';
import { Catalog } from '#catalog';
import { Configuration } from '#configuration';
import type { Logger } from '#core';
import type { Metrics } from '#telemetry';
import { Alerts } from '../alerts/alerts.js';
import {
  certificateExpiring,
  Conditions,
  HeldServices,
  registryAway,
  servicesUnhealthy,
} from '../alerts/conditions.js';
import { Webhook } from '../alerts/webhook.js';
import { AnswerTally } from '../metrics/answer-tally.js';
import { Census } from '../metrics/census.js';
import { type Sources, serverMetrics } from '../metrics/server-metrics.js';
import { ServiceSeries } from '../metrics/service-series.js';
import { Tallies } from '../metrics/tallies.js';
import { MetricsServer } from '../own-health/metrics-server.js';
import type { Probing } from '../registration/checks.js';
import { replicaId } from '../replica/identity.js';
import type { Settings } from '../settings/index.js';
import { Streams } from '../streams/index.js';
import { Certificates } from '../tls/certificates.js';
import { BACKEND, LOGGER, METRICS, PROBING, SETTINGS } from '../tokens.js';
import { Watch } from '../watch/watch.js';

/** What the server tells of itself: metrics and alerts. */
export const telemetry: Provider[] = [
  {
    provide: Census,
    inject: [SETTINGS],
    useFactory: ({ service }: Settings) => new Census(service.name),
  },
  {
    provide: ServiceSeries,
    inject: [Census, SETTINGS],
    useFactory: (census: Census, { metrics }: Settings) => new ServiceSeries(census, metrics.maxServices),
  },
  { provide: Tallies, useFactory: () => new Tallies() },
  {
    provide: AnswerTally,
    inject: [ServiceSeries],
    useFactory: ({ discoveries }: ServiceSeries) => new AnswerTally(discoveries),
  },
  {
    provide: METRICS,
    inject: [
      SETTINGS,
      BACKEND,
      Balancer,
      Catalog,
      Configuration,
      Streams,
      AnswerTally,
      Census,
      ServiceSeries,
      Tallies,
      Alerts,
      Webhook,
    ],
    useFactory: ({ metrics }: Settings, ...sources: Sources): Metrics | undefined =>
      metrics.enabled ? serverMetrics(...sources) : undefined,
  },
  {
    provide: MetricsServer,
    inject: [METRICS, SETTINGS, LOGGER, Certificates],
    useFactory: (
      metrics: Metrics | undefined,
      settings: Settings,
      logger: Logger,
      certificates: Certificates | undefined,
    ) => new MetricsServer(metrics, { host: settings.server.host, port: settings.metrics.port }, logger, certificates),
  },
  {
    provide: Webhook,
    inject: [SETTINGS, PROBING, Catalog, LOGGER],
    useFactory: ({ alerts }: Settings, { context }: Probing, catalog: Catalog, logger: Logger): Webhook | undefined =>
      alerts.webhook && new Webhook({ ...alerts.webhook, sender: replicaId(catalog), guard: context.guard, logger }),
  },
  {
    provide: Alerts,
    inject: [Watch, Webhook, LOGGER],
    useFactory: (watch: Watch, webhook: Webhook | undefined, logger: Logger) =>
      new Alerts(logger, (change, instance) => {
        if (change.state === 'raised') watch.alert(change, instance);
        webhook?.send(change);
      }),
  },
  {
    provide: HeldServices,
    inject: [Catalog],
    useFactory: (catalog: Catalog) => new HeldServices(catalog),
  },
  {
    provide: Conditions,
    inject: [Alerts, Catalog, Census, HeldServices, Certificates],
    useFactory: (
      alerts: Alerts,
      catalog: Catalog,
      census: Census,
      held: HeldServices,
      certificates: Certificates | undefined,
    ) =>
      new Conditions(alerts, [
        registryAway(catalog),
        servicesUnhealthy(census),
        () => held.condition(),
        certificateExpiring(certificates),
      ]),
  },
];
