/** How many scopes a strategy remembers; one that has not been asked for longest begins anew. */
export const MAX_SCOPES = 10_000;
/** How many candidates in all of its scopes, where it keeps something of each. */
export const MAX_SCOPED_CANDIDATES = 1_000_000;
