export * from './catalog.js';
export type * from './changes.js';
export { LastKnownFile } from './last-known.js';
export type { FreshnessReport, Source } from './freshness.js';
export type { MassLossRules } from './mass-loss.js';
export type { CatalogEntry } from './view.js';
export type { Clock } from './clock.js';
