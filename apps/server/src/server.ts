import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger, RegistryBackend } from '#core';
import { Balancer } from '#balancing';
import { Catalog } from '#catalog';
import { Configuration } from '#configuration';
import { HealthMonitor } from '#health';
import { Audit } from './audit/audit.js';
import { auditRequests } from './audit/audit-requests.js';
import { Authenticator } from './auth/authenticator.js';
import { Gate } from './auth/gate.js';
import { Policy } from './auth/policy.js';
import { Conditions, HeldServices } from './alerts/conditions.js';
import { Webhook } from './alerts/webhook.js';
import { Answers } from './answers/answers.js';
import { served } from './api/dialects/index.js';
import { AppModule } from './app.module.js';
import { followDocuments } from './configuration/changes.js';
import { LoadAlerts } from './checks/load-alerts.js';
import { OpenApi } from './docs/openapi.js';
import { follow } from './followers.js';
import { addHooks, createAdapter } from './http/fastify.js';
import { InFlight } from './http/in-flight.js';
import { NestLogger } from './http/nest-logger.js';
import { routeUpgrades } from './http/upgrade.js';
import { Census } from './metrics/census.js';
import { Tallies } from './metrics/tallies.js';
import { MetricsServer } from './own-health/metrics-server.js';
import { Readiness } from './own-health/readiness.js';
import { Registrations } from './registration/registrations.js';
import { Origins } from './registry/origins.js';
import { replicaId, replicaMetadata } from './replica/identity.js';
import { OwnRegistration } from './replica/own-registration.js';
import { HTTPS, PeerClient } from './replica/peer-client.js';
import { Peers } from './replica/peers.js';
import { Shares } from './replica/shares.js';
import { BUILT_IN, type Seams } from './seams.js';
import type { Settings } from './settings/index.js';
import { Streams } from './streams/index.js';
import { Certificates } from './tls/certificates.js';
import { BACKEND } from './tokens.js';
import { Timeline } from './timeline/timeline.js';
import { Watch } from './watch/watch.js';

/** How long callers get to hear that this server goes, by the answers that end their connections. */
const NOTICE_MS = 500;
/** For a connection that is just being opened while we close: its request is on its way, or none comes. */
const LINGER_MS = 500;

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'somebody listens there already',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'that is no address of this machine',
  ENOTFOUND: 'that is no address of this machine',
};

/** A server from its start to its graceful end. */
export class Server {
  private ownRegistration: OwnRegistration | undefined;
  private starting: Promise<void> = Promise.resolve();
  private stopping: Promise<void> | undefined;

  private constructor(
    readonly app: NestFastifyApplication,
    private readonly settings: Settings,
    private readonly logger: Logger,
    private readonly inFlight: InFlight,
  ) {}

  static async create(settings: Settings, logger: Logger, seams: Seams = BUILT_IN): Promise<Server> {
    const options: NestApplicationOptions = {
      logger: new NestLogger(logger),
      bodyParser: false,
      abortOnError: false,
    };
    const module = AppModule.of(settings, seams, logger);
    const app = await NestFactory.create<NestFastifyApplication>(
      module,
      createAdapter(logger, settings.server),
      options,
    );
    const tally = settings.metrics.enabled ? app.get(Tallies).http : undefined;
    const log = settings.log.requests ? logger : undefined;
    const fastify = app.getHttpAdapter().getInstance();
    const dialects = served(seams.dialects, settings.dialects);
    const roots = ['/api', ...dialects.map(({ root }) => root)].map((root) => `${root}/`);
    const traced = settings.tracing !== undefined;
    addHooks(fastify, app.get(Gate), app.get(Answers), { roots, tally, log, traced });
    auditRequests(fastify, app.get(Audit));
    const inFlight = new InFlight(app.getHttpServer());
    const certificates = app.get<Certificates | undefined>(Certificates);
    certificates?.serve(app.getHttpServer() as unknown as TlsServer);
    certificates?.follow(() => inFlight.renew());
    routeUpgrades(fastify, inFlight);
    app.get(OpenApi).describes(app);
    return new Server(app, settings, logger, inFlight);
  }

  /** Resolves when requests are taken, or when it has been told to stop before. */
  start(): Promise<void> {
    return (this.starting = this.begin());
  }

  private async begin(): Promise<void> {
    const { app, settings } = this;
    const catalog = app.get(Catalog);
    const monitor = app.get(HealthMonitor);
    await app.get<RegistryBackend>(BACKEND).start();
    if (this.isStopping()) return;
    const { recorder } = app.get(Balancer);
    const [watch, shares, loadAlerts] = [app.get(Watch), app.get(Shares), app.get(LoadAlerts)];
    const held = app.get(HeldServices);
    const [census, tallies, timeline] = [app.get(Census), app.get(Tallies), app.get(Timeline)];
    const origins = app.get(Origins);
    monitor.setOnline(false);
    const { logger } = this;
    follow(catalog, { watch, shares, recorder, loadAlerts, held, census, tallies, timeline, origins, logger });
    catalog.start();
    app.get(Conditions).start();
    this.configuration?.view.subscribe(followDocuments(this.logger, (cause) => tallies.configuration.add(cause)));
    this.configuration?.view.start();
    if (settings.checks.enabled) monitor.start();
    await app.get(MetricsServer).start();
    await this.listen();
    if (this.isStopping()) return;
    this.registerItself();
    this.logger.info({ url: this.url, registry: settings.registry.type, profile: settings.profile }, 'serving');
  }

  /** Past Nest's own way, which logs what it throws. */
  private async listen(): Promise<void> {
    const { host, port } = this.settings.server;
    await this.app.init();
    try {
      await this.app.getHttpAdapter().getInstance().listen({ host, port });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = LISTEN_ERRORS[code ?? ''];
      if (why === undefined) throw error;
      throw new Error(`${why}: ${host}:${port}; set SERVICE_HOST or SERVICE_PORT`, { cause: error });
    }
  }

  /** Where it listens. */
  get url(): string {
    const { address, port, family } = this.app.getHttpServer().address() as AddressInfo;
    return `${this.settings.server.tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /**
   * Readiness off, own registration out, requests in flight answered, everything closed. What is
   * still open after the grace time is cut. For a moment new requests are answered too: who sends them
   * on a connection that is kept has not heard yet that this server goes. Idempotent.
   */
  stop(): Promise<void> {
    return (this.stopping ??= this.drain());
  }

  private isStopping(): boolean {
    return this.stopping !== undefined;
  }

  private async drain(): Promise<void> {
    const { app, inFlight } = this;
    const { graceMs } = this.settings.shutdown;
    this.logger.info({}, 'stopping');
    app.get(Readiness).draining = true;
    const cut = setTimeout(() => app.getHttpServer().closeAllConnections(), graceMs).unref();
    await Promise.race([this.starting.catch(() => undefined), sleep(graceMs, undefined, { ref: false })]);
    await this.ownRegistration?.stop();
    app.get(Answers).stopWaiting();
    inFlight.leave();
    await Promise.all([app.get(Streams).stop(), sleep(NOTICE_MS)]);
    const linger = setTimeout(() => inFlight.closeSilent(), LINGER_MS);
    await app.close();
    app.get(Conditions).stop();
    await app.get<Webhook | undefined>(Webhook)?.stop();
    await app.get(MetricsServer).stop();
    app.get(Authenticator).stop();
    app.get(Policy).stop();
    await app.get(Audit).stop();
    app.get<Certificates | undefined>(Certificates)?.stop();
    clearTimeout(linger);
    clearTimeout(cut);
    await app.get(HealthMonitor).stop();
    await app.get(Catalog).stop();
    await app.get(Peers).stop();
    app.get(PeerClient).close();
    await this.configuration?.view.stop();
    await app.get<RegistryBackend>(BACKEND).stop();
    this.logger.info({}, 'stopped');
  }

  private get configuration(): Configuration | undefined {
    return this.app.get<Configuration | undefined>(Configuration);
  }

  private registerItself(): void {
    const { service, checks, server } = this.settings;
    if (!service.advertise || !this.app.get<RegistryBackend>(BACKEND).registrar) return;
    const options = {
      serviceName: service.name,
      serviceId: replicaId(this.app.get(Catalog)),
      address: service.advertise.host,
      port: service.advertise.port ?? Number(new URL(this.url).port),
      ...(server.tls && { protocol: HTTPS }),
      metadata: replicaMetadata(checks.enabled),
    };
    this.ownRegistration = new OwnRegistration(this.app.get(Registrations), options, this.logger);
    this.ownRegistration.start();
  }
}
