import type { Provider } from '@nestjs/common';
import { Catalog, LastKnownFile } from '#catalog';
import type { BackendModule, Logger, RegistryBackend } from '#core';
import { WRITE_DEADLINE_MS } from '../deadlines.js';
import { ServiceSeries } from '../metrics/service-series.js';
import { Tallies } from '../metrics/tallies.js';
import type { Probing } from '../registration/checks.js';
import { InstanceQuota } from '../registration/instance-quota.js';
import { type RegistrationRules, Registrations } from '../registration/registrations.js';
import { nested, observed } from '../registry/observed.js';
import { Origins } from '../registry/origins.js';
import { traced } from '../registry/traced.js';
import type { Seams } from '../seams.js';
import type { Settings } from '../settings/index.js';
import { Timeline } from '../timeline/timeline.js';
import { BACKEND, LOGGER, PROBING, SEAMS, SETTINGS } from '../tokens.js';

/** The registry, what is known of it, and what is written to it. */
export const registry: Provider[] = [
  {
    provide: BACKEND,
    inject: [SEAMS, SETTINGS, LOGGER, Tallies, Origins],
    useFactory: async (
      seams: Seams,
      settings: Settings,
      logger: Logger,
      tallies: Tallies,
      origins: Origins,
    ): Promise<RegistryBackend> => {
      const { registry, leases } = settings;
      const context = { logger, now: Date.now, graceMs: leases.heartbeatIntervalMs, dataDir: registry.dataDir };
      const backend = await chosen(seams, settings).create(registry.options, context);
      const observers = [origins.observe, traced(registry.type), tallies.ofRegistry(registry.type)];
      return observed(backend, nested(...observers));
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
    ) => {
      const count = (name: string) => registrations.add(name);
      return new Registrations(backend, catalog, probing, registrationRules(settings), quota(catalog, settings), count);
    },
  },
  { provide: Origins, useFactory: () => new Origins() },
  { provide: Timeline, useFactory: () => new Timeline() },
];

function quota(catalog: Catalog, { instances: limits }: Settings): InstanceQuota | undefined {
  return Object.keys(limits).length > 0 ? new InstanceQuota(catalog, limits) : undefined;
}

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
