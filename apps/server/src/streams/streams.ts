import { BackendError, type Logger } from '#core';
import type { Channel, Farewell } from './channel.js';
import type { OpenCursor } from './cursor.js';
import { Stream } from './stream.js';

export interface StreamsOptions {
  /** How many may be open at once. */
  readonly max: number;
  /** Between signs of life on an idle stream; a reader who has taken nothing for twice as long is let go. */
  readonly heartbeatMs: number;
  readonly logger: Logger;
}

/** Streams that are written to before everybody else has a turn. */
const SLICE = 128;
/** What is left to those who are sent elsewhere, to take what they were sent. */
const LEAVE_MS = 1_000;

/** Every open stream: passes on what is new, gives signs of life, and sends all elsewhere at the end. */
export class Streams {
  private readonly open = new Map<Channel, Stream>();
  /** Those for whom there may be something new. */
  private readonly due = new Set<Stream>();
  private passing: NodeJS.Immediate | undefined;
  private readonly waiting: (() => void)[] = [];
  private beating: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(private readonly options: StreamsOptions) {}

  get size(): number {
    return this.open.size;
  }

  /** @throws BackendError `BUSY` when there are too many already. */
  requireRoom(): void {
    const { max } = this.options;
    if (this.open.size >= max) throw new BackendError('BUSY', `${max} streams are open already`);
  }

  /** Whoever comes while this server stops is sent elsewhere too, in a way that its client takes for no refusal. */
  add(channel: Channel, openCursor: OpenCursor): void {
    const cursor = openCursor(() => this.schedule(stream));
    const stream = new Stream(channel, cursor);
    this.open.set(channel, stream);
    channel.onDrain(() => this.schedule(stream));
    channel.onClose(() => {
      this.open.delete(channel);
      this.due.delete(stream);
      cursor.close();
    });
    if (this.stopping) {
      void stream.leave('stopping', LEAVE_MS);
      return;
    }
    this.schedule(stream);
    this.beating ??= setInterval(() => this.beat(), this.options.heartbeatMs / 4).unref();
  }

  /** Ends one, with what is unsent before. */
  dismiss(channel: Channel, farewell: Farewell): void {
    void this.open.get(channel)?.leave(farewell, LEAVE_MS);
  }

  /** Calls back when everybody has been sent what is new now, as much of it as they take. */
  whenPassed(passed: () => void): void {
    this.waiting.push(passed);
    this.passing ??= setImmediate(() => this.pass());
  }

  /** Resolves when nobody is left: those who do not go are cut. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.beating);
    await Promise.all([...this.open.values()].map((stream) => stream.leave('stopping', LEAVE_MS)));
  }

  private schedule(stream: Stream): void {
    this.due.add(stream);
    this.passing ??= setImmediate(() => this.pass());
  }

  private pass(): void {
    this.passing = undefined;
    let left = SLICE;
    for (const stream of this.due) {
      if (left-- === 0) break;
      this.due.delete(stream);
      this.pump(stream);
    }
    if (this.due.size > 0) this.passing ??= setImmediate(() => this.pass());
    else for (const passed of this.waiting.splice(0)) passed();
  }

  private pump(stream: Stream): void {
    try {
      stream.pump();
    } catch (error) {
      this.options.logger.error({ err: error }, 'a stream failed');
      stream.cut();
    }
  }

  private beat(): void {
    const now = performance.now();
    for (const stream of this.open.values()) stream.beat(now, this.options.heartbeatMs);
  }
}
