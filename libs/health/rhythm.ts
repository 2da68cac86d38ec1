/** The first probe comes within this, or within the interval where that is shorter. */
export const FIRST_PROBE_MS = 5_000;

/**
 * When one instance is probed. Many that come at once (a restart, a replica that takes over) are not
 * to stay together: the first probes fill the time that there is for them, and where the interval is
 * longer, the two after them come earlier by a random share, together up to one interval. From then
 * on the instances are spread evenly, and each keeps its interval. Two probes are never closer than
 * half an interval: two failures in a row are to be two looks, not one.
 */
export class Rhythm {
  private planned: number | undefined;
  private readonly first: number;
  private readonly advance: number;
  private settling = 2;

  /** @param interval Milliseconds. */
  constructor(
    private readonly interval: number,
    random: () => number,
  ) {
    this.first = random() * Math.min(interval, FIRST_PROBE_MS);
    this.advance = interval > FIRST_PROBE_MS ? (random() * interval) / 2 : 0;
  }

  /**
   * The next time. It is counted from the plan and not from when that was kept: late probes do not
   * drift, and missed ones are left out.
   */
  next(now: number): number {
    if (this.planned === undefined) return (this.planned = now + this.first);
    const due = this.planned + this.interval - (this.settling-- > 0 ? this.advance : 0);
    const late = now - due;
    return (this.planned = late < 0 ? due : due + (Math.floor(late / this.interval) + 1) * this.interval);
  }
}
