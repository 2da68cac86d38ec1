import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import type { BackendModule, Logger, RegistryBackend } from '#core';
import { Balancer } from '#balancing';
import { Catalog, LastKnownFile } from '#catalog';
import { Configuration, ConfigView } from '#configuration';
import { createGuard, HealthMonitor } from '#health';
import type { Metrics } from '#telemetry';
import { createAuthenticator } from './auth/authentication.js';
import { Authenticator } from './auth/authenticator.js';
import { Gate } from './auth/gate.js';
import { peerScheme } from './auth/peer-scheme.js';
import { Policy } from './auth/policy.js';
import { Alerts } from './alerts/alerts.js';
import { Conditions, HeldServices, registryAway, servicesUnhealthy } from './alerts/conditions.js';
import { Webhook } from './alerts/webhook.js';
import { AnswerCache } from './answers/answer-cache.js';
import { Answers } from './answers/answers.js';
import { served } from './api/dialects/index.js';
import { CapabilitiesController } from './api/v1/capabilities.controller.js';
import { ConfigSchemaController } from './api/v1/config-schema.controller.js';
import { ConfigWatchController } from './api/v1/config-watch.controller.js';
import { ConfigController } from './api/v1/config.controller.js';
import { DiscoveryController } from './api/v1/discovery.controller.js';
import { HealthController } from './api/v1/health.controller.js';
import { LogLevelController } from './api/v1/log-level.controller.js';
import { MetricsController } from './api/v1/metrics.controller.js';
import { PickController } from './api/v1/pick.controller.js';
import { RegistrationController } from './api/v1/registration.controller.js';
import { TimelineController } from './api/v1/timeline.controller.js';
import { WatchController } from './api/v1/watch.controller.js';
import { LoadAlerts } from './checks/load-alerts.js';
import { readScripts } from './checks/scripts.js';
import { RegistrySink } from './checks/sink.js';
import { ConfigAnswers } from './configuration/answers.js';
import { Documents } from './configuration/documents.js';
import { ConfigWatch } from './configuration/config-watch.js';
import { Deadlines } from './deadlines.js';
import { Discovery } from './discovery/discovery.js';
import { DocsController } from './docs/docs.controller.js';
import { OpenApi } from './docs/openapi.js';
import { ProblemFilter } from './http/problem.filter.js';
import { SchemaPipe } from './http/schema.pipe.js';
import { AnswerTally } from './metrics/answer-tally.js';
import { Census } from './metrics/census.js';
import { serverMetrics, type Sources } from './metrics/server-metrics.js';
import { ServiceSeries } from './metrics/service-series.js';
import { Tallies } from './metrics/tallies.js';
import { MetricsServer } from './own-health/metrics-server.js';
import { PrometheusController } from './own-health/metrics.controller.js';
import { OwnHealthController } from './own-health/own-health.controller.js';
import { Readiness } from './own-health/readiness.js';
import { Credentials } from './replica/credentials.js';
import { replicaId } from './replica/identity.js';
import { OwnerChecks } from './replica/owner-checks.js';
import { PeerClient } from './replica/peer-client.js';
import { Peers } from './replica/peers.js';
import { ReplicaController } from './replica/replica.controller.js';
import { Shares } from './replica/shares.js';
import { Sightings } from './replica/sightings.js';
import type { Probing } from './registration/checks.js';
import { Registrations, type RegistrationRules } from './registration/registrations.js';
import { observed } from './registry/observed.js';
import type { Seams } from './seams.js';
import type { Settings } from './settings/index.js';
import { Reception, Streams } from './streams/index.js';
import { BACKEND, LOGGER, METRICS, PROBING, SEAMS, SETTINGS } from './tokens.js';
import { Timeline } from './timeline/timeline.js';
import { Tickets } from './watch/tickets.js';
import { Watch } from './watch/watch.js';

/** A write that the registry has not answered by then has an unknown outcome. */
const WRITE_DEADLINE_MS = 3_000;

const api = [
  RegistrationController,
  PickController,
  DiscoveryController,
  WatchController,
  HealthController,
  MetricsController,
  ConfigWatchController,
  ConfigController,
  ConfigSchemaController,
  CapabilitiesController,
  TimelineController,
  LogLevelController,
];
const operations = [OwnHealthController, PrometheusController, DocsController, ReplicaController];

/** registry → catalog → use cases → controllers; beside them health, balancing, telemetry. */
const architecture: Provider[] = [
  {
    provide: BACKEND,
    inject: [SEAMS, SETTINGS, LOGGER, Tallies],
    useFactory: async (
      seams: Seams,
      settings: Settings,
      logger: Logger,
      tallies: Tallies,
    ): Promise<RegistryBackend> => {
      const { registry, leases } = settings;
      const context = { logger, now: Date.now, graceMs: leases.heartbeatIntervalMs, dataDir: registry.dataDir };
      const backend = await chosen(seams, settings).create(registry.options, context);
      return observed(backend, tallies.ofRegistry(registry.type));
    },
  },
  {
    provide: Catalog,
    inject: [BACKEND, SEAMS, SETTINGS, LOGGER],
    useFactory: (backend: RegistryBackend, seams: Seams, settings: Settings, logger: Logger) =>
      new Catalog(backend, {
        refreshEveryMs: settings.catalog.refreshIntervalMs,
        massLoss: settings.massLoss,
        maxWaiters: settings.server.maxWaiters,
        lastKnown: lastKnown(seams, settings, logger),
        logger,
      }),
  },
  {
    provide: Registrations,
    inject: [BACKEND, Catalog, PROBING, SETTINGS, ServiceSeries],
    useFactory: (
      backend: RegistryBackend,
      catalog: Catalog,
      probing: Probing,
      settings: Settings,
      { registrations }: ServiceSeries,
    ) => new Registrations(backend, catalog, probing, registrationRules(settings), (name) => registrations.add(name)),
  },
  {
    provide: Configuration,
    inject: [BACKEND, LOGGER],
    useFactory: ({ configStore }: RegistryBackend, logger: Logger): Configuration | undefined =>
      configStore && new Configuration(configStore, new ConfigView(configStore, logger)),
  },
  {
    provide: Documents,
    inject: [BACKEND, Configuration],
    useFactory: (backend: RegistryBackend, configuration: Configuration | undefined) =>
      new Documents(backend, configuration, new Deadlines(WRITE_DEADLINE_MS)),
  },
  {
    provide: Reception,
    inject: [Streams, Tickets],
    useFactory: (streams: Streams, tickets: Tickets) => new Reception(streams, tickets),
  },
  {
    provide: ConfigWatch,
    inject: [Documents, Streams],
    useFactory: (documents: Documents, streams: Streams) => new ConfigWatch(documents, streams),
  },
  {
    provide: ConfigAnswers,
    inject: [Documents],
    useFactory: (documents: Documents) => new ConfigAnswers(documents),
  },
  {
    provide: Balancer,
    inject: [SEAMS, SETTINGS],
    useFactory: ({ strategies }: Seams, { balancing }: Settings) =>
      new Balancer({ strategies, defaultStrategy: balancing.defaultStrategy }),
  },
  {
    provide: Discovery,
    inject: [Catalog, Balancer, SETTINGS, ServiceSeries],
    useFactory: (catalog: Catalog, balancer: Balancer, { service }: Settings, { discoveries }: ServiceSeries) =>
      new Discovery(catalog, balancer, service.name, (name) => discoveries.add(name)),
  },
  {
    provide: Answers,
    inject: [Catalog, SETTINGS, AnswerTally],
    useFactory: (catalog: Catalog, settings: Settings, tally: AnswerTally) => {
      const cache = new AnswerCache(settings.catalog.answerCacheBytes, (scope) => catalog.revisionOf(scope));
      return new Answers(catalog, cache, tally);
    },
  },
  {
    provide: Streams,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ server, streams }: Settings, logger: Logger) =>
      new Streams({ max: server.maxWaiters, heartbeatMs: streams.heartbeatMs, logger }),
  },
  {
    provide: Watch,
    inject: [Catalog, Streams],
    useFactory: (catalog: Catalog, streams: Streams) => new Watch(catalog, streams),
  },
  { provide: Tickets, useFactory: () => new Tickets() },
  {
    provide: Policy,
    inject: [SETTINGS, LOGGER],
    useFactory: ({ authentication }: Settings, logger: Logger) => Policy.create(authentication, logger),
  },
  {
    provide: Authenticator,
    inject: [SEAMS, SETTINGS, Policy, Tickets, Credentials, Peers, LOGGER],
    useFactory: (
      { schemes }: Seams,
      { authentication }: Settings,
      policy: Policy,
      tickets: Tickets,
      credentials: Credentials,
      { ownId }: Peers,
      logger: Logger,
    ) => {
      const peers = credentials.known ? peerScheme(credentials, ownId) : undefined;
      return createAuthenticator({ settings: authentication, modules: schemes, policy, tickets, peers, logger });
    },
  },
  {
    provide: Gate,
    inject: [Authenticator, Policy, Tickets, LOGGER],
    useFactory: (...given: ConstructorParameters<typeof Gate>) => new Gate(...given),
  },
  {
    provide: PROBING,
    inject: [SEAMS, SETTINGS],
    useFactory: async ({ probes: modules }: Seams, { probes }: Settings): Promise<Probing> => ({
      probes: modules,
      context: {
        guard: createGuard({ allowLoopback: probes.loopback, denied: probes.deniedAddresses }),
        scripts: probes.scriptsFile === undefined ? {} : await readScripts(probes.scriptsFile),
      },
    }),
  },
  {
    provide: HealthMonitor,
    inject: [Registrations, Catalog, PROBING, SETTINGS, LOGGER, Tallies, Timeline],
    useFactory: (
      registrations: Registrations,
      catalog: Catalog,
      { probes, context }: Probing,
      { probes: { concurrency } }: Settings,
      logger: Logger,
      tallies: Tallies,
      timeline: Timeline,
    ) =>
      new HealthMonitor({
        ...context,
        probes,
        sink: new RegistrySink(registrations, catalog, timeline),
        logger,
        concurrency,
        onProbe: (type, ms, result) => tallies.probes.of(type, result).record(ms / 1_000),
      }),
  },
  PeerClient,
  {
    provide: Credentials,
    inject: [SETTINGS],
    useFactory: ({ service }: Settings) => new Credentials(service.replicaSecret),
  },
  {
    provide: Peers,
    inject: [Catalog, PeerClient, SETTINGS, LOGGER],
    useFactory: (catalog: Catalog, client: PeerClient, { service }: Settings, logger: Logger) =>
      new Peers(catalog, client, service, logger),
  },
  {
    provide: Shares,
    inject: [HealthMonitor, Catalog, Peers],
    useFactory: (...given: ConstructorParameters<typeof Shares>) => new Shares(...given),
  },
  {
    provide: Sightings,
    inject: [Catalog, HealthMonitor, Shares, Peers, PeerClient, Credentials],
    useFactory: (...given: ConstructorParameters<typeof Sightings>) => new Sightings(...given),
  },
  {
    provide: OwnerChecks,
    inject: [HealthMonitor, Shares, PeerClient, Credentials],
    useFactory: (...given: ConstructorParameters<typeof OwnerChecks>) => new OwnerChecks(...given),
  },
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
  { provide: Timeline, useFactory: () => new Timeline() },
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
    inject: [METRICS, SETTINGS, LOGGER],
    useFactory: (metrics: Metrics | undefined, settings: Settings, logger: Logger) =>
      new MetricsServer(metrics, { host: settings.server.host, port: settings.metrics.port }, logger),
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
    inject: [Alerts, Catalog, Census, HeldServices],
    useFactory: (alerts: Alerts, catalog: Catalog, census: Census, held: HeldServices) =>
      new Conditions(alerts, [registryAway(catalog), servicesUnhealthy(census), () => held.condition()]),
  },
  {
    provide: LoadAlerts,
    inject: [SETTINGS, Alerts],
    useFactory: ({ checks }: Settings, alerts: Alerts) => new LoadAlerts(checks.criticalLoad, alerts),
  },
  Readiness,
  OpenApi,
  { provide: APP_PIPE, useClass: SchemaPipe },
  { provide: APP_FILTER, inject: [LOGGER], useFactory: (logger: Logger) => new ProblemFilter(logger) },
];

function registrationRules({ checks, leases, service }: Settings): RegistrationRules {
  return {
    checksEnabled: checks.enabled,
    intervalMs: checks.intervalMs,
    timeoutMs: checks.timeoutMs,
    leaseMs: leases.ttlMs,
    ownName: service.name,
    deadlineMs: WRITE_DEADLINE_MS,
  };
}

function chosen({ backends }: Seams, { registry }: Settings): BackendModule {
  return backends.find(({ type }) => type === registry.type)!;
}

/** An embedded registry is never away, and needs the folder for itself. */
function lastKnown(seams: Seams, settings: Settings, logger: Logger): LastKnownFile | undefined {
  const { dataDir, identity } = settings.registry;
  if (dataDir === undefined || chosen(seams, settings).embedded) return undefined;
  return new LastKnownFile(dataDir, identity, logger);
}

/** The one composition root. */
@Module({})
export class AppModule {
  static of(settings: Settings, seams: Seams, logger: Logger): DynamicModule {
    const given: Provider[] = [
      { provide: SETTINGS, useValue: settings },
      { provide: SEAMS, useValue: seams },
      { provide: LOGGER, useValue: logger },
    ];
    const dialects = served(seams.dialects, settings.dialects);
    return {
      module: AppModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [...api, ...operations, ...dialects.flatMap(({ controllers }) => controllers)],
      providers: [...given, ...architecture],
    };
  }
}
