import { Backoff, jittered } from '#core';
import type { Clock } from '../clock.js';
import { RefusedError } from '../errors.js';
import { instanceOf, type Instance, type WireInstance } from '../instance.js';
import type { Transport } from '../transport.js';
import { DEFAULT_TTL_S, toBody, toHeartbeat, type Load, type RegistrationRequest } from './request.js';

const RETRY_MS = 200;
/** Of the lease: two may be lost. */
const BEATS = 3;
const NOT_FOUND = 404;
const DRAIN_MS = 5_000;

export interface Leaving {
  /** How long who has not heard yet may still call, milliseconds; 5,000 by default. */
  readonly drainMs?: number;
  readonly signal?: AbortSignal;
}

export interface StopOptions extends Leaving {
  /** What else is to be ended before the process is, when nobody calls any more: a server's `close`, say. */
  readonly beforeExit?: () => void | Promise<void>;
  readonly signals?: readonly `SIG${string}`[];
}

/** An instance that is registered, and stays so until it is told to leave. It keeps no process alive. */
export class Registration {
  private readonly ended = new AbortController();
  private beating: Promise<void> = Promise.resolve();
  private current: Instance | undefined;
  private leaving = false;

  private constructor(
    private readonly transport: Transport,
    private readonly request: RegistrationRequest,
    private readonly clock: Clock,
    private readonly onError: (error: Error) => void,
    private readonly onEnd: (self: Registration) => void,
  ) {}

  /**
   * Resolves when it is registered; until then it is tried for as long as the signal lets it.
   * @throws RefusedError at once when there is something wrong with the request.
   */
  static async start(
    transport: Transport,
    request: RegistrationRequest,
    { signal, clock, onError, onEnd }: RegistrationHooks,
  ): Promise<Registration> {
    const self = new Registration(transport, request, clock, onError, onEnd);
    const backoff = new Backoff(RETRY_MS, self.intervalMs, (ms, ended) => clock.pause(ms, ended));
    while (!self.current) {
      try {
        await self.register(signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof RefusedError) throw error;
        onError(error as Error);
        await backoff.pause(signal ?? self.ended.signal);
      }
    }
    self.beating = self.beat();
    return self;
  }

  /** As the server has last told it. */
  get instance(): Instance {
    return this.current!;
  }

  /** Tells the server of itself now, not only at the next heartbeat. */
  async report(load: Load, signal?: AbortSignal): Promise<void> {
    await this.renew(load, signal);
  }

  /** Out of rotation, then a while for those who have not heard yet, then out. What goes wrong is no reason to stay. */
  async leave({ drainMs = DRAIN_MS, signal = this.ended.signal }: Leaving = {}): Promise<void> {
    this.leaving = true;
    await this.renew({ status: 'critical' }, signal).catch(this.onError);
    await this.clock.pause(drainMs, signal);
    await this.deregister().catch(this.onError);
  }

  /** Out at once. */
  async deregister(signal?: AbortSignal): Promise<void> {
    this.ended.abort(new Error('deregistered'));
    this.onEnd(this);
    await this.beating;
    try {
      await this.transport.ask('DELETE', this.path, { signal });
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
  }

  /** Leaves and ends the process at the first of these signals (SIGTERM). Returns how to take that back. */
  leaveOn({ signals = ['SIGTERM'], beforeExit, ...leaving }: StopOptions = {}): () => void {
    const stop = () => {
      forget();
      void this.leave(leaving)
        .then(beforeExit)
        .then(
          () => process.exit(0),
          (error: unknown) => {
            this.onError(error as Error);
            process.exit(1);
          },
        );
    };
    const forget = () => signals.forEach((signal) => process.off(signal, stop));
    for (const signal of signals) process.on(signal, stop);
    return forget;
  }

  private get intervalMs(): number {
    return ((this.request.ttl ?? DEFAULT_TTL_S) * 1_000) / BEATS;
  }

  private get path(): string {
    const { serviceName, serviceId } = this.instance;
    return `/api/v1/services/${encodeURIComponent(serviceName)}/instances/${encodeURIComponent(serviceId)}`;
  }

  private async beat(): Promise<void> {
    const { signal } = this.ended;
    let waitMs = this.intervalMs;
    for (;;) {
      await this.clock.pause(jittered(waitMs), signal, { ref: false });
      if (signal.aborted) return;
      try {
        await this.renew(this.leaving ? { status: 'critical' } : (this.request.load?.() ?? {}), signal);
        waitMs = this.intervalMs;
      } catch (error) {
        if (this.ended.signal.aborted) return;
        this.onError(error as Error);
        waitMs = waitMs === this.intervalMs ? RETRY_MS : Math.min(waitMs * 2, this.intervalMs);
      }
    }
  }

  /** Registers again where it is unknown: its lease may have run out, or the registry have lost it. */
  private async renew(load: Load, signal?: AbortSignal): Promise<void> {
    try {
      await this.take(this.transport.ask('PUT', `${this.path}/heartbeat`, { body: toHeartbeat(load), signal }));
    } catch (error) {
      if (!isUnknown(error)) throw error;
      if (!this.leaving) await this.register(signal);
    }
  }

  private register(signal?: AbortSignal): Promise<void> {
    return this.take(this.transport.ask('POST', '/api/v1/services', { body: toBody(this.request), signal }));
  }

  private async take(answer: Promise<Response>): Promise<void> {
    const { data } = (await (await answer).json()) as { data: WireInstance };
    this.current = instanceOf(data);
  }
}

export interface RegistrationHooks {
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  readonly onEnd: (self: Registration) => void;
}

function isUnknown(error: unknown): boolean {
  return error instanceof RefusedError && error.status === NOT_FOUND;
}
