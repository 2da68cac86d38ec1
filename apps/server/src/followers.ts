import type { Logger } from '#core';
import type { OutcomeRecorder } from '#balancing';
import type { Catalog, CatalogChange } from '#catalog';
import type { HeldServices } from './alerts/conditions.js';
import type { LoadAlerts } from './checks/load-alerts.js';
import type { Census } from './metrics/census.js';
import type { Tallies } from './metrics/tallies.js';
import type { Origins } from './registry/origins.js';
import type { Shares } from './replica/shares.js';
import type { Timeline, TimelineEntry } from './timeline/timeline.js';
import type { Watch } from './watch/watch.js';

export interface Followers {
  readonly watch: Watch;
  readonly shares: Shares;
  readonly recorder: OutcomeRecorder;
  readonly loadAlerts: LoadAlerts;
  readonly held: HeldServices;
  readonly census: Census;
  readonly tallies: Tallies;
  readonly timeline: Timeline;
  readonly origins: Origins;
  readonly logger: Logger;
}

/** Everybody who goes by the catalog's changes. */
export function follow(catalog: Catalog, followers: Followers): void {
  const { watch, shares, recorder, loadAlerts, held, census, tallies, timeline, origins, logger } = followers;
  const see = (change: CatalogChange) => {
    census.see(change);
    tallies.see(change);
    watch.see(change);
    shares.see(change);
    loadAlerts.see(change);
    held.see(change);
    if (change.kind === 'remove') recorder.forget(change.instance);
    const entry = timeline.see(change);
    if (entry) log(entry, logger);
  };
  catalog.subscribe((change) => origins.within(change, () => see(change)));
}

/** One line for each thing that happens to an instance. */
function log({ key, cause, actor, before, status, detail, output }: TimelineEntry, logger: Logger): void {
  logger.info({ ...key, cause, actor, before, status, detail, output }, `instance ${cause}`);
}
