/**
 * Lets so many tasks run at once. Who waits is let in by lane, the one with the fewest running first
 * and each in turn: a service whose thousand instances all hang holds up itself, not the others.
 */
export class FairGate {
  private running = 0;
  private readonly runningBy = new Map<string, number>();
  /** Only lanes where somebody waits, the one that was let in last at the end. */
  private readonly waiting = new Map<string, (() => void)[]>();

  constructor(private readonly limit: number) {}

  async run<T>(lane: string, task: () => Promise<T>): Promise<T> {
    if (this.running >= this.limit) await this.turnOf(lane);
    else this.count(lane, 1);
    try {
      return await task();
    } finally {
      this.count(lane, -1);
      this.letIn();
    }
  }

  private turnOf(lane: string): Promise<void> {
    return new Promise((resolve) => {
      const line = this.waiting.get(lane);
      if (line) line.push(resolve);
      else this.waiting.set(lane, [resolve]);
    });
  }

  private letIn(): void {
    const lane = this.nextLane();
    if (lane === undefined) return;
    const line = this.waiting.get(lane)!;
    this.waiting.delete(lane);
    const enter = line.shift()!;
    if (line.length > 0) this.waiting.set(lane, line);
    // Counted here, not when it wakes: nobody slips in between.
    this.count(lane, 1);
    enter();
  }

  private nextLane(): string | undefined {
    let least = Infinity;
    let next: string | undefined;
    for (const lane of this.waiting.keys()) {
      const running = this.runningBy.get(lane) ?? 0;
      if (running >= least) continue;
      least = running;
      next = lane;
      if (running === 0) break;
    }
    return next;
  }

  private count(lane: string, change: 1 | -1): void {
    this.running += change;
    const running = (this.runningBy.get(lane) ?? 0) + change;
    if (running === 0) this.runningBy.delete(lane);
    else this.runningBy.set(lane, running);
  }
}
