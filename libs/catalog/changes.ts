import type { LifecycleEvent, ServiceInstance } from '#core';

/**
 * What has just happened to the view. Every change of content carries its lifecycle event, but for
 * what the first snapshot brought, which was there before us, and for a new version of the same.
 */
export type CatalogChange =
  | {
      readonly kind: 'upsert';
      readonly instance: ServiceInstance;
      readonly held: boolean;
      readonly event?: LifecycleEvent;
    }
  | { readonly kind: 'remove'; readonly instance: ServiceInstance; readonly event: LifecycleEvent }
  /** Heartbeat, load and the like have moved, content has not. */
  | { readonly kind: 'vitals'; readonly instance: ServiceInstance }
  /** The view is in step with the registry again, or no longer. */
  | { readonly kind: 'freshness'; readonly live: boolean };

export type CatalogListener = (change: CatalogChange) => void;
