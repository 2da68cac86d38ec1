import type { Channel, Farewell } from './channel.js';
import type { Cursor } from './cursor.js';

/** A reader who has not taken so much gets nothing more until it has. What it misses is not kept: its cursor finds it. */
const MAX_UNSENT_BYTES = 64 * 1_024;

/** One reader, and how far it keeps up. */
export class Stream {
  private spokenAt = performance.now();
  /** Since when the reader has not taken all that was sent. */
  private stuckSince: number | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly cursor: Cursor,
  ) {
    channel.onDrain(() => (this.stuckSince = undefined));
  }

  /** Sends what is new, as much as the reader takes. */
  pump(): void {
    while (!this.leaving && this.channel.unsent < MAX_UNSENT_BYTES) {
      const frames = this.cursor.next();
      if (!frames) return;
      this.channel.send(frames);
      this.spokenAt = performance.now();
    }
  }

  /** Gives a sign of life where there was none for so long; lets go whom nothing has reached for twice as long. */
  beat(now: number, everyMs: number): void {
    if (this.leaving) return;
    if (this.channel.unsent > 0) {
      this.stuckSince ??= now;
      if (now - this.stuckSince >= 2 * everyMs) void this.leave('slow', everyMs);
      return;
    }
    this.stuckSince = undefined;
    const { id } = this.cursor;
    if (id === undefined || now - this.spokenAt < everyMs) return;
    this.channel.beat(id);
    this.spokenAt = now;
  }

  /** Resolves when the reader has gone, by itself or cut after so many milliseconds. */
  leave(farewell: Farewell, withinMs: number): Promise<void> {
    return (this.leaving ??= new Promise((resolve) => {
      const cut = setTimeout(() => this.cut(), withinMs).unref();
      this.channel.onClose(() => {
        clearTimeout(cut);
        resolve();
      });
      this.channel.end(farewell);
    }));
  }

  cut(): void {
    this.channel.cut();
  }
}
