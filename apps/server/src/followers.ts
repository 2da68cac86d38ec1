import type { LifecycleEvent, Logger } from '#core';
import type { OutcomeRecorder } from '#balancing';
import type { Catalog, CatalogChange } from '#catalog';
import type { HealthMonitor } from '#health';
import type { LoadAlerts } from './checks/load-alerts.js';

export interface Followers {
  readonly monitor: HealthMonitor;
  readonly recorder: OutcomeRecorder;
  readonly loadAlerts: LoadAlerts;
  readonly logger: Logger;
}

/** Everybody who goes by the catalog's changes. */
export function follow(catalog: Catalog, { monitor, recorder, loadAlerts, logger }: Followers): void {
  monitor.setOnline(false);
  catalog.subscribe((change) => {
    tellMonitor(change, monitor);
    loadAlerts.see(change);
    if (change.kind === 'remove') recorder.forget(change.instance);
    if ((change.kind === 'upsert' || change.kind === 'remove') && change.event) log(change.event, logger);
  });
}

function tellMonitor(change: CatalogChange, monitor: HealthMonitor): void {
  switch (change.kind) {
    case 'upsert':
      monitor.upsert(change.instance);
      return;
    case 'remove':
      monitor.remove(change.instance);
      return;
    case 'freshness':
      monitor.setOnline(change.live);
      return;
    case 'vitals':
      return;
  }
}

/** One line for each thing that happens to an instance. */
function log({ key, cause, actor, detail }: LifecycleEvent, logger: Logger): void {
  logger.info({ ...key, cause, actor, ...(detail !== undefined && { detail }) }, `instance ${cause}`);
}
