import { Distribution, type Sample } from '#telemetry';

/** Seconds: from an answer that is kept to a registry that is slow. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The route of what is none of ours. */
const NONE = 'none';

/** The requests of one route by one method. */
export class RouteTally {
  readonly statuses = new Map<number, number>();
  readonly durations = new Distribution(BOUNDS);

  constructor(
    readonly method: string,
    readonly route: string,
  ) {}

  /** @param ms Undefined: the caller wanted to wait, so it says nothing. */
  record(status: number, ms: number | undefined): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (ms !== undefined) this.durations.record(ms / 1_000);
  }
}

/** Requests by route as it is declared, never by path, which is anybody's to choose. */
export class HttpTally {
  readonly unrouted = new RouteTally(NONE, NONE);
  private readonly routes: RouteTally[] = [this.unrouted];

  route(method: string, route: string): RouteTally {
    const tally = new RouteTally(method, route);
    this.routes.push(tally);
    return tally;
  }

  *requests(): Iterable<Sample> {
    for (const { method, route, statuses } of this.routes)
      for (const [status, count] of statuses) yield [{ method, route, status: String(status) }, count];
  }

  *durations(): Iterable<Sample<Distribution>> {
    for (const { method, route, statuses, durations } of this.routes)
      if (statuses.size > 0) yield [{ method, route }, durations];
  }
}
