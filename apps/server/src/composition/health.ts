import type { Provider } from '@nestjs/common';
import { Catalog } from '#catalog';
import type { Logger } from '#core';
import { HealthMonitor, createGuard } from '#health';
import { Alerts } from '../alerts/alerts.js';
import { LoadAlerts } from '../checks/load-alerts.js';
import { readScripts } from '../checks/scripts.js';
import { RegistrySink } from '../checks/sink.js';
import { Tallies } from '../metrics/tallies.js';
import type { Probing } from '../registration/checks.js';
import { Registrations } from '../registration/registrations.js';
import type { Seams } from '../seams.js';
import type { Settings } from '../settings/index.js';
import { Timeline } from '../timeline/timeline.js';
import { LOGGER, PROBING, SEAMS, SETTINGS } from '../tokens.js';

/** Checks of instances. */
export const health: Provider[] = [
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
  {
    provide: LoadAlerts,
    inject: [SETTINGS, Alerts],
    useFactory: ({ checks }: Settings, alerts: Alerts) => new LoadAlerts(checks.criticalLoad, alerts),
  },
];
