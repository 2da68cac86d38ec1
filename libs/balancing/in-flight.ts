const SLOTS = 60;

/**
 * How many calls are under way, where the end of some is never told: each is forgotten once it is
 * `forgetAfterMs` old. Counted in time slots, so that it takes the same memory for one call as for millions.
 */
export class InFlight {
  private slots?: Uint32Array;
  private newest = 0;
  private total = 0;
  private readonly slotMs: number;

  constructor(forgetAfterMs: number) {
    this.slotMs = forgetAfterMs / SLOTS;
  }

  start(now: number): void {
    this.slots ??= new Uint32Array(SLOTS);
    this.forget(now);
    this.slots[this.newest % SLOTS]!++;
    this.total++;
  }

  /** Ends the youngest: of calls that all look alike, the old ones are those that nobody will report. */
  end(now: number): void {
    if (!this.slots || this.count(now) === 0) return;
    let slot = this.newest;
    while (this.slots[slot % SLOTS] === 0) slot--;
    this.slots[slot % SLOTS]!--;
    this.total--;
  }

  /** Told without a clock: what is empty stays so. */
  get isEmpty(): boolean {
    return this.total === 0;
  }

  count(now: number): number {
    if (this.total > 0) this.forget(now);
    return this.total;
  }

  private forget(now: number): void {
    const current = Math.floor(now / this.slotMs);
    // After SLOTS steps every slot has been emptied.
    for (let step = Math.min(current - this.newest, SLOTS); step > 0; step--) {
      const slot = (current - step + 1) % SLOTS;
      this.total -= this.slots![slot]!;
      this.slots![slot] = 0;
    }
    this.newest = Math.max(this.newest, current);
  }
}
