/** The keys of one registry. The braces make them one hash slot of a Redis Cluster: a script needs all of them together. */
export type Keys = ReturnType<typeof keysUnder>;

export function keysUnder(prefix: string) {
  return {
    /** Hash: `epoch`, `version`, `replid`, `ticked`, `paused`. */
    registry: `{${prefix}}:registry`,
    /** Hash: service/id → the record as JSON, its version and lease in front. */
    instances: `{${prefix}}:instances`,
    /** Sorted set: service/id by the end of its lease, milliseconds of the registry's own clock. */
    leases: `{${prefix}}:leases`,
    /** Hash: service/id → its last heartbeat, milliseconds since the epoch. */
    heartbeats: `{${prefix}}:heartbeats`,
    /** Hash: service/id → `load at connections`, as told last to all replicas. */
    loads: `{${prefix}}:loads`,
    /** Stream: which instance has changed or gone, its ids the versions. */
    changes: `{${prefix}}:changes`,
    /** Stream: whose load was told. */
    loadChanges: `{${prefix}}:load-changes`,
  } as const;
}
