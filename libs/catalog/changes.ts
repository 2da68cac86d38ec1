import type { LifecycleEvent, ServiceInstance } from '#core';

/**
 * A change of content, at a revision of its own. Each carries its lifecycle event, but for what the first
 * snapshot brought, which was there before us, and for a new version of the same.
 */
export type ContentChange =
  | {
      readonly kind: 'upsert';
      readonly revision: number;
      readonly instance: ServiceInstance;
      /** As it was told the last time; absent when it was not there. */
      readonly before?: ServiceInstance;
      readonly held: boolean;
      readonly event?: LifecycleEvent;
    }
  | {
      readonly kind: 'remove';
      readonly revision: number;
      readonly instance: ServiceInstance;
      readonly event: LifecycleEvent;
    };

/** What has just happened to the view. */
export type CatalogChange =
  | ContentChange
  /** Heartbeat, load and the like have moved, content has not. */
  | { readonly kind: 'vitals'; readonly instance: ServiceInstance }
  /** The view is in step with the registry again, or no longer. */
  | { readonly kind: 'freshness'; readonly live: boolean };

export type CatalogListener = (change: CatalogChange) => void;
