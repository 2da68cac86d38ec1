import type { InstanceStats } from '#core';
import { InFlight } from './in-flight.js';

/** After this long what was seen counts 1/e of what is seen now: Finagle's default. */
export const DECAY_MS = 10_000;

/**
 * A failed call weighs as at least this slow a one, else an instance that fails at once would look the
 * fastest and draw everybody: what Linkerd's load biaser does, with its default.
 * https://linkerd.io/2-edge/reference/load-balancing/
 */
export const FAILURE_MS = 5_000;

/** Sums over calls, of an instance or of a service. */
export class Sums {
  picks = 0;
  requests = 0;
  errors = 0;
  private timed = 0;
  private totalMs = 0;

  get averageMs(): number {
    return this.timed === 0 ? 0 : this.totalMs / this.timed;
  }

  get errorRate(): number {
    return this.requests === 0 ? 0 : this.errors / this.requests;
  }

  add(ok: boolean, ms: number | undefined): void {
    this.requests++;
    if (!ok) this.errors++;
    if (ms === undefined) return;
    this.timed++;
    this.totalMs += ms;
  }
}

/** What is known of one instance. */
export class Tally extends Sums implements InstanceStats {
  private readonly pending: InFlight;
  /** When the sums below were last decayed. */
  private observedAt = 0;
  private recentRequests = 0;
  private recentErrors = 0;
  private recentTimed = 0;
  private recentTotalMs = 0;
  private peak = 0;

  constructor(
    private readonly now: () => number,
    forgetAfterMs: number,
  ) {
    super();
    this.pending = new InFlight(forgetAfterMs);
  }

  get inFlight(): number {
    return this.pending.isEmpty ? 0 : this.pending.count(this.now());
  }

  get recentMs(): number {
    return this.recentTimed === 0 ? 0 : this.recentTotalMs / this.recentTimed;
  }

  /** As if there had been one more success just now: little evidence says little, and fades. */
  get recentErrorRate(): number {
    if (this.recentErrors === 0) return 0;
    const decay = this.decay(this.now());
    return (this.recentErrors * decay) / (this.recentRequests * decay + 1);
  }

  get peakMs(): number {
    return this.peak === 0 ? 0 : this.peak * this.decay(this.now());
  }

  start(): void {
    this.picks++;
    this.pending.start(this.now());
  }

  end(): void {
    this.pending.end(this.now());
  }

  override add(ok: boolean, ms: number | undefined): void {
    super.add(ok, ms);
    const now = this.now();
    const decay = this.decay(now);
    this.observedAt = now;
    this.recentRequests = this.recentRequests * decay + 1;
    this.recentErrors = this.recentErrors * decay + (ok ? 0 : 1);
    this.recentTimed = this.recentTimed * decay + (ms === undefined ? 0 : 1);
    this.recentTotalMs = this.recentTotalMs * decay + (ms ?? 0);
    this.observePeak(ok ? ms : Math.max(ms ?? 0, FAILURE_MS), decay);
  }

  /**
   * Finagle's peak-sensitive moving average of an unevenly spaced series: a peak is taken at once, and
   * left behind as exp(-elapsed/decay).
   * https://github.com/twitter/finagle/blob/develop/finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala
   */
  private observePeak(ms: number | undefined, decay: number): void {
    const before = this.peak * decay;
    if (ms === undefined) this.peak = before;
    else this.peak = ms > before ? ms : before + ms * (1 - decay);
  }

  private decay(now: number): number {
    return Math.exp(-Math.max(0, now - this.observedAt) / DECAY_MS);
  }
}
