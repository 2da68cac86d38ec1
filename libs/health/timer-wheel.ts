import { context, ROOT_CONTEXT } from '@opentelemetry/api';

/** Something to be done at a time; to be handed back when it is not to be done after all. */
export interface Scheduled {
  readonly tick: number;
  readonly run: () => void;
}

/**
 * Thousands of timers for the price of one: a hashed timer wheel (Varghese and Lauck, 1987). A time
 * is rounded up to a tick; what lies further ahead than one turn waits in its slot for its turn. The
 * one timer is armed for the next tick that has something to do, and keeps no process alive.
 */
export class TimerWheel {
  private readonly slots: Set<Scheduled>[];
  private size = 0;
  /** The next tick to be looked at: everything before has been run. */
  private cursor: number;
  private timer: NodeJS.Timeout | undefined;
  private armedFor = Infinity;

  /** @param now Milliseconds, monotonic. */
  constructor(
    private readonly now: () => number,
    private readonly tickMs = 50,
    slots = 1_024,
  ) {
    this.slots = Array.from({ length: slots }, () => new Set());
    this.cursor = this.currentTick();
  }

  /** @param at By the clock of the wheel; what is past is run at the next tick. `run` must not throw. */
  schedule(at: number, run: () => void): Scheduled {
    const scheduled = { tick: Math.max(Math.ceil(at / this.tickMs), this.cursor), run };
    this.slotOf(scheduled.tick).add(scheduled);
    this.size++;
    if (scheduled.tick < this.armedFor) this.arm(scheduled.tick);
    return scheduled;
  }

  cancel(scheduled: Scheduled): void {
    if (this.slotOf(scheduled.tick).delete(scheduled)) this.size--;
  }

  /** Forgets everything. */
  clear(): void {
    for (const slot of this.slots) slot.clear();
    this.size = 0;
    this.disarm();
  }

  private turn(): void {
    this.disarm();
    const current = this.currentTick();
    // After a stall of more than a turn, each slot once is all of them.
    const first = Math.max(this.cursor, current - this.slots.length + 1);
    // From here on what is scheduled is scheduled for later, so that nothing is run twice in a turn.
    this.cursor = Math.max(this.cursor, current + 1);
    for (let tick = first; tick <= current; tick++) {
      for (const scheduled of this.slotOf(tick)) {
        if (scheduled.tick > current) continue;
        this.cancel(scheduled);
        scheduled.run();
      }
    }
    const next = this.nextTick();
    if (next < this.armedFor) this.arm(next);
  }

  /** The next tick with something to do, or one turn ahead: whatever there is lies behind it. */
  private nextTick(): number {
    if (this.size === 0) return Infinity;
    const end = this.cursor + this.slots.length;
    for (let tick = this.cursor; tick < end; tick++) {
      for (const scheduled of this.slotOf(tick)) if (scheduled.tick === tick) return tick;
    }
    return end;
  }

  private arm(tick: number): void {
    this.disarm();
    this.armedFor = tick;
    // Of one timer for all, the context of whoever has set it is none of theirs.
    const turn = () => context.with(ROOT_CONTEXT, () => this.turn());
    this.timer = setTimeout(turn, Math.max(0, tick * this.tickMs - this.now())).unref();
  }

  private disarm(): void {
    clearTimeout(this.timer);
    this.armedFor = Infinity;
  }

  private currentTick(): number {
    return Math.floor(this.now() / this.tickMs);
  }

  private slotOf(tick: number): Set<Scheduled> {
    return this.slots[tick % this.slots.length]!;
  }
}
