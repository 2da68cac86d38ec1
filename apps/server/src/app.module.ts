import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import type { Logger } from '#core';
import { served } from './api/dialects/index.js';
import { AuditController } from './api/v1/audit.controller.js';
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
import { configuration } from './composition/configuration.js';
import { discovery } from './composition/discovery.js';
import { health } from './composition/health.js';
import { http } from './composition/http.js';
import { registry } from './composition/registry.js';
import { replicas } from './composition/replicas.js';
import { security } from './composition/security.js';
import { telemetry } from './composition/telemetry.js';
import { watching } from './composition/watching.js';
import { DocsController } from './docs/docs.controller.js';
import { PrometheusController } from './own-health/metrics.controller.js';
import { OwnHealthController } from './own-health/own-health.controller.js';
import { ReplicaController } from './replica/replica.controller.js';
import type { Seams } from './seams.js';
import type { Settings } from './settings/index.js';
import { LOGGER, SEAMS, SETTINGS } from './tokens.js';

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
  AuditController,
];
const operations = [OwnHealthController, PrometheusController, DocsController, ReplicaController];

/** registry → catalog → use cases → controllers; beside them health, balancing, telemetry. */
const architecture = [registry, discovery, configuration, watching, security, health, replicas, telemetry, http];

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
      providers: [...given, ...architecture.flat()],
    };
  }
}
