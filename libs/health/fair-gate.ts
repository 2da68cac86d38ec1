import { Lanes } from './lanes.js';

/** A task that takes longer only waits for an answer, and leaves its place to others. */
export const BRIEF_MS = 250;

export interface Capacity {
  /** Tasks that have just begun. */
  readonly places: number;
  /** All that are under way, those that have left their places among them. */
  readonly total: number;
}

export interface Entrant {
  /** With whom it shares: each lane gets as much as any other. */
  readonly lane: string;
  /** Likely to hang: those get half of the total at most. */
  readonly doubtful: boolean;
}

interface Kind {
  readonly most: number;
  readonly waiting: Lanes;
  running: number;
}

/**
 * Bounds the tasks under way, and lets none that hang hold up the others. A task keeps its place for a
 * moment only, so that there is a bound on work, and a wider one on mere waiting; of that, what has hung
 * before gets half. Who has to wait is let in by lane, the one with the fewest running first and each in
 * turn: a service whose thousand instances all hang holds up itself.
 */
export class FairGate {
  private placed = 0;
  private running = 0;
  private readonly runningBy = new Map<string, number>();
  private readonly hopeful: Kind;
  private readonly doubtful: Kind;
  /** The one that was let in last at the end. */
  private turns: readonly Kind[];

  constructor(private readonly capacity: Capacity) {
    const { total } = capacity;
    this.hopeful = { most: total, waiting: new Lanes(), running: 0 };
    this.doubtful = { most: Math.ceil(total / 2), waiting: new Lanes(), running: 0 };
    this.turns = [this.hopeful, this.doubtful];
  }

  async run<T>({ lane, doubtful }: Entrant, task: () => Promise<T>): Promise<T> {
    const kind = doubtful ? this.doubtful : this.hopeful;
    if (this.hasRoom(kind)) this.enter(kind, lane);
    else await new Promise<void>((resolve) => kind.waiting.add(lane, resolve));
    let placed = true;
    const leavePlace = () => {
      if (placed) this.placed--;
      placed = false;
      this.letIn();
    };
    const timer = setTimeout(leavePlace, BRIEF_MS).unref();
    try {
      return await task();
    } finally {
      clearTimeout(timer);
      this.leave(kind, lane);
      leavePlace();
    }
  }

  private hasRoom({ running, most }: Kind): boolean {
    return this.placed < this.capacity.places && this.running < this.capacity.total && running < most;
  }

  private letIn(): void {
    for (;;) {
      const kind = this.turns.find((each) => !each.waiting.empty && this.hasRoom(each));
      if (!kind) return;
      this.turns = [...this.turns.filter((each) => each !== kind), kind];
      const { lane, wake } = kind.waiting.take((each) => this.runningBy.get(each) ?? 0);
      // Counted here, not when it wakes: nobody slips in between.
      this.enter(kind, lane);
      wake();
    }
  }

  private enter(kind: Kind, lane: string): void {
    this.placed++;
    this.running++;
    kind.running++;
    this.runningBy.set(lane, (this.runningBy.get(lane) ?? 0) + 1);
  }

  private leave(kind: Kind, lane: string): void {
    this.running--;
    kind.running--;
    const left = this.runningBy.get(lane)! - 1;
    if (left === 0) this.runningBy.delete(lane);
    else this.runningBy.set(lane, left);
  }
}
