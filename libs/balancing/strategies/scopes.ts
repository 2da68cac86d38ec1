/** How many scopes a strategy remembers; one that has not been asked for longest begins anew. */
export const MAX_SCOPES = 10_000;
