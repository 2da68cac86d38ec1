type Wake = () => void;

/** Who waits, by lane: each lane has its line, and the lanes take turns. */
export class Lanes {
  /** Only lanes where somebody waits, the one that was taken from last at the end. */
  private readonly lines = new Map<string, Wake[]>();

  get empty(): boolean {
    return this.lines.size === 0;
  }

  add(lane: string, wake: Wake): void {
    const line = this.lines.get(lane);
    if (line) line.push(wake);
    else this.lines.set(lane, [wake]);
  }

  /** The first in line of the lane that has the fewest running. Somebody must wait. */
  take(runningIn: (lane: string) => number): { readonly lane: string; readonly wake: Wake } {
    const lane = this.next(runningIn);
    const line = this.lines.get(lane)!;
    this.lines.delete(lane);
    const wake = line.shift()!;
    if (line.length > 0) this.lines.set(lane, line);
    return { lane, wake };
  }

  private next(runningIn: (lane: string) => number): string {
    let least = Infinity;
    let next = '';
    for (const lane of this.lines.keys()) {
      const running = runningIn(lane);
      if (running >= least) continue;
      least = running;
      next = lane;
      if (running === 0) break;
    }
    return next;
  }
}
