import {
  asBackendError,
  BackendError,
  type Logger,
  type RegistryBackend,
  type RegistryEvent,
  type RegistrySnapshot,
} from '#core';
import type { Clock } from './clock.js';

/** An independent read finds a registry that is frozen with its sockets open. */
const PING_EVERY_MS = 2_000;
const PING_DEADLINE_MS = 2_000;
const LIST_DEADLINE_MS = 10_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 2_000;

export interface UpstreamHandler {
  event(event: RegistryEvent): void;
  /** A full read, from the background refresh. */
  reconciled(snapshot: RegistrySnapshot): void;
  /** The registry has answered an independent read, or has failed to. */
  answered(): void;
  silent(error: BackendError): void;
}

export interface UpstreamOptions {
  readonly refreshEveryMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The one conversation with the registry: a watch that is taken up again, a heartbeat read, a background refresh. */
export class Upstream {
  private readonly stopping = new AbortController();
  private loops: Promise<unknown> = Promise.resolve();
  private reading: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private silent = false;

  constructor(
    private readonly backend: RegistryBackend,
    private readonly handler: UpstreamHandler,
    private readonly options: UpstreamOptions,
  ) {}

  start(): void {
    const { refreshEveryMs } = this.options;
    this.loops = Promise.all([
      this.follow(),
      this.every(PING_EVERY_MS, () => this.ping()),
      this.every(refreshEveryMs, () => this.refresh()),
    ]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loops;
  }

  /** Reads everything once; the read begins after the call, and calls that wait share it. */
  refresh(): Promise<void> {
    if (!this.reading) return this.read();
    return (this.next ??= this.reading.then(
      () => this.read(),
      () => this.read(),
    ));
  }

  private read(): Promise<void> {
    this.next = undefined;
    const reading = this.within(LIST_DEADLINE_MS, (signal) => this.backend.list(signal)).then((snapshot) => {
      this.handler.reconciled(snapshot);
    });
    const done = () => {
      if (this.reading === reading) this.reading = undefined;
    };
    this.reading = reading;
    reading.then(done, done);
    return reading;
  }

  private stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    let wait = RETRY_FIRST_MS;
    while (!this.stopped()) {
      try {
        for await (const event of this.backend.watch(signal)) {
          this.handler.event(event);
          if (event.kind !== 'stale') wait = RETRY_FIRST_MS;
        }
        if (!this.stopped()) throw new Error('the watch ended');
      } catch (cause) {
        const error = asBackendError(cause);
        if (!this.stopped()) this.handler.event({ kind: 'stale', error });
      }
      await this.pause(wait * (0.5 + this.options.random()));
      wait = Math.min(wait * 2, RETRY_MOST_MS);
    }
  }

  /** A registry that answers again after a silence may have changed without telling: all is read before it counts as back. */
  private async ping(): Promise<void> {
    try {
      await this.within(PING_DEADLINE_MS, (signal) => this.backend.ping(signal));
      if (this.silent) await this.refresh();
      this.silent = false;
      this.handler.answered();
    } catch (cause) {
      if (this.stopped()) return;
      this.silent = true;
      this.handler.silent(asBackendError(cause));
    }
  }

  private async every(periodMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.stopped()) {
      await this.pause(periodMs * (0.9 + 0.2 * this.options.random()));
      if (this.stopped()) return;
      await work().catch((error: unknown) => {
        // That it does not answer is told already.
        if (!this.stopped() && !this.silent) this.options.logger.warn({ err: error }, 'could not read the registry');
      });
    }
  }

  private async pause(ms: number): Promise<void> {
    await this.options.clock.sleep(ms, this.stopping.signal);
  }

  /** A backend that overlooks the signal does not hold us. */
  private async within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const settled = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, settled.signal]);
    const deadline = this.options.clock.sleep(ms, signal).then(() => {
      throw new BackendError('UNAVAILABLE', `the registry has not answered within ${ms} ms`);
    });
    try {
      return await Promise.race([work(signal), deadline]);
    } finally {
      deadline.catch(() => undefined);
      settled.abort();
    }
  }
}
