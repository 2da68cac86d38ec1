import {
  BackendError,
  hasActiveCheck,
  keyText,
  LIMITS,
  type HealthCheck,
  type InstanceKey,
  type Logger,
  type ProbeContext,
  type ProbeModule,
  type ServiceInstance,
} from '#core';
import { orAborted } from './abort.js';
import { Checker, type ProbeObserver } from './checker.js';
import { Evictions, SWEEP_MS } from './evictions.js';
import { ProbeRunner } from './probe-runner.js';
import { passiveReport, type CheckReport } from './report.js';
import { Rhythm } from './rhythm.js';
import type { HealthSink } from './sink.js';
import { StatusWriter } from './status-writer.js';
import { TimerWheel } from './timer-wheel.js';
import { Underway } from './underway.js';
import { Watched } from './watched.js';

export interface HealthMonitorOptions extends ProbeContext {
  readonly probes: readonly ProbeModule[];
  readonly sink: HealthSink;
  readonly logger: Logger;
  /** Probes that begin at once; 128 by default. Sixteen times as many may wait for an answer. */
  readonly concurrency?: number;
  /** Milliseconds since the epoch, for what people read. */
  readonly now?: () => number;
  /** Milliseconds, for schedules, durations and eviction: a clock that nobody sets. */
  readonly monotonic?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  readonly onProbe?: ProbeObserver;
}

/**
 * Probes the instances that are this process's, each at its interval, and tells the sink when their status
 * changes and when one was critical for too long. Whoever owns it feeds it the instances as the registry has
 * them, and says which are; what the sink writes comes back the same way.
 */
export class HealthMonitor {
  private readonly watched = new Map<string, Watched>();
  private readonly underway = new Underway();
  private readonly now: () => number;
  private readonly monotonic: () => number;
  private readonly random: () => number;
  private readonly wheel: TimerWheel;
  private readonly runner: ProbeRunner;
  private readonly writer: StatusWriter;
  private readonly checker: Checker;
  private readonly evictions: Evictions;
  private state: 'idle' | 'running' | 'stopped' = 'idle';

  constructor(options: HealthMonitorOptions) {
    const { probes, guard, scripts, sink, logger, concurrency = 128, onProbe } = options;
    const { underway } = this;
    this.now = options.now ?? (() => Date.now());
    this.monotonic = options.monotonic ?? (() => performance.now());
    this.random = options.random ?? Math.random;
    this.wheel = new TimerWheel(this.monotonic);
    this.runner = new ProbeRunner(probes, { guard, scripts }, this.monotonic);
    this.writer = new StatusWriter(sink, underway, logger);
    this.evictions = new Evictions(sink, underway, logger);
    const { runner, writer, now } = this;
    this.checker = new Checker({ runner, writer, sink, underway, logger, concurrency, now, onProbe });
  }

  /** Begins to probe what it knows and what it will be told of. */
  start(): void {
    if (this.state !== 'idle') return;
    this.state = 'running';
    for (const each of this.watched.values()) this.begin(each);
    this.sweepAfter(this.monotonic());
  }

  /** Ends what is in flight; resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    this.state = 'stopped';
    for (const each of this.watched.values()) {
      this.forget(each, new BackendError('UNAVAILABLE', 'the health monitor has stopped'));
    }
    this.wheel.clear();
    await this.underway.ended();
    await this.runner.close();
  }

  /**
   * An instance to watch, or its newest state. One that is to be checked otherwise than before begins anew.
   * @param ours Whether to probe and evict it is up to this process. Of those that are others' only the
   * time is counted for which they are critical.
   */
  upsert(instance: ServiceInstance, ours = true): void {
    const known = this.watched.get(keyText(instance));
    const same = known?.isStill(instance) ? known : undefined;
    if (same?.duty.ours === ours) {
      same.see(instance);
      if (same.contested) this.writer.settle(same);
      return;
    }
    if (known) this.forget(known, same ? notHere(instance) : checkedOtherwise(instance));
    if (!instance.check || this.state === 'stopped') return;
    const fresh = new Watched(instance, instance.check, { probed: this.isProbed(instance.check), ours });
    fresh.criticalMs = same?.criticalMs;
    this.watched.set(keyText(instance), fresh);
    if (this.state === 'running') this.begin(fresh);
  }

  /** It is gone: what is in flight for it means nothing any more. */
  remove(key: InstanceKey): void {
    const known = this.watched.get(keyText(key));
    if (known) this.forget(known, new BackendError('NOT_FOUND', `${keyText(key)} is not watched any more`));
  }

  /** While the registry is away instances are probed, but nothing is written or evicted and no eviction clock runs. */
  setOnline(online: boolean): void {
    this.writer.online = online;
  }

  /**
   * Checks an instance now, or waits for the check that is under way; a new status is written before
   * it resolves. One that lives by heartbeats is reported on, not probed. The signal ends the wait,
   * not the check: others may wait for it.
   * @throws BackendError `NOT_FOUND`: it has no check, or is probed elsewhere; `CONFLICT`: it was registered otherwise
   * meanwhile; `UNAVAILABLE`: the monitor has stopped. Else the signal's reason.
   */
  async checkNow(key: InstanceKey, signal: AbortSignal): Promise<CheckReport> {
    const watched = this.watched.get(keyText(key));
    if (watched && !watched.duty.probed) return passiveReport(watched, this.now());
    if (!watched?.duty.ours) throw notHere(key);
    const report = await orAborted(this.checker.check(watched), signal);
    if (watched.writing) await orAborted(watched.writing, signal);
    return report;
  }

  /** What the latest check has found; undefined before the first, where it is made elsewhere, and where there is none. */
  report(key: InstanceKey): CheckReport | undefined {
    const watched = this.watched.get(keyText(key));
    return watched && !watched.duty.probed ? passiveReport(watched, this.now()) : watched?.report;
  }

  private isProbed(check: HealthCheck): boolean {
    return hasActiveCheck({ check }) && this.runner.isActive(check.type);
  }

  private begin(watched: Watched): void {
    if (!watched.duty.probed || !watched.duty.ours) return;
    this.plan(watched, new Rhythm(Math.max(watched.check.interval, LIMITS.minIntervalMs), this.random));
  }

  private plan(watched: Watched, rhythm: Rhythm): void {
    watched.scheduled = this.wheel.schedule(rhythm.next(this.monotonic()), () => void this.due(watched, rhythm));
  }

  /** One that overruns its interval is left to end, and the next begins right after it: a skip would double the time to find out. */
  private async due(watched: Watched, rhythm: Rhythm): Promise<void> {
    const overrun = watched.flight && (await watched.flight.report.catch(() => undefined));
    if (this.watched.get(keyText(watched.instance)) !== watched) return;
    this.plan(watched, rhythm);
    // Unless it has waited for us rather than for the instance: two failures are to be two looks.
    if (overrun && overrun.durationMs < watched.check.interval / 2) return;
    // Whatever aborts a check has said so elsewhere.
    this.checker.check(watched).catch(() => undefined);
  }

  private sweepAfter(last: number): void {
    this.wheel.schedule(last + SWEEP_MS, () => {
      const now = this.monotonic();
      // Longer than that, and this process was not looking.
      const elapsed = this.writer.online ? Math.min(now - last, 2 * SWEEP_MS) : 0;
      for (const each of this.watched.values()) if (each.unwritten) this.writer.settle(each);
      this.evictions.sweep(this.watched.values(), elapsed);
      this.sweepAfter(now);
    });
  }

  private forget(watched: Watched, reason: BackendError): void {
    this.watched.delete(keyText(watched.instance));
    if (watched.scheduled) this.wheel.cancel(watched.scheduled);
    watched.flight?.abort.abort(reason);
  }
}

function notHere(key: InstanceKey): BackendError {
  return new BackendError('NOT_FOUND', `no health check of ${keyText(key)} is made here`);
}

function checkedOtherwise(key: InstanceKey): BackendError {
  return new BackendError('CONFLICT', `${keyText(key)} is checked otherwise now`);
}
