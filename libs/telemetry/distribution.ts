/** What was measured, in buckets: a histogram of Prometheus. To record makes nothing, so that it may be done for every request. */
export class Distribution {
  private readonly counts: number[];
  private sum = 0;

  /** @param bounds Upper ones, in order, each part of its bucket; what is above the last counts too. */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = Array<number>(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }

  /** How often at most each bound was measured, in the end how often at all; and the sum. */
  totals(): { readonly buckets: readonly (readonly [bound: string, count: number])[]; readonly sum: number } {
    let count = 0;
    const buckets = this.counts.map((each, i) => [String(this.bounds[i] ?? '+Inf'), (count += each)] as const);
    return { buckets, sum: this.sum };
  }
}
