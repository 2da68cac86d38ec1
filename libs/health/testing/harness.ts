import { jest } from '@jest/globals';
import { z } from 'zod';
import {
  type HealthStatus,
  type Logger,
  type ProbeModule,
  type ProbeResult,
  type ProbeTarget,
  type ServiceInstance,
} from '#core';
import { createGuard } from '../guard.js';
import { HealthMonitor, type HealthMonitorOptions } from '../monitor.js';
import type { HealthSink } from '../sink.js';
import { ttl } from '../probes/ttl.js';

type Answer = (target: ProbeTarget, signal: AbortSignal) => ProbeResult | Promise<ProbeResult>;

export function says(status: HealthStatus, over: Partial<ProbeResult> = {}): ProbeResult {
  return { status, output: `says ${status}`, ...over };
}

/** Ends with its signal, as a probe must. */
export const hangs: Answer = (_, signal) =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () =>
      resolve({ status: 'critical', output: `hung: ${(signal.reason as Error).message}` }),
    ),
  );

/** A monitor on a clock of ours, with a probe and a registry that do as they are told. */
export class Harness {
  /** What the probe finds from now on. */
  answer: Answer = () => says('passing');
  /** When each probe was made, milliseconds since the start. */
  readonly probes: { at: number; target: ProbeTarget }[] = [];
  readonly evicted: ServiceInstance[] = [];
  readonly written: { status: HealthStatus; version: string; at: number }[] = [];
  /** What the registry does with a write; by default it takes it and shows it. */
  readonly setStatus = jest.fn<HealthSink['setStatus']>(async (instance, status) => this.show(instance, status));
  readonly evict = jest.fn<HealthSink['evict']>(async (instance) => {
    this.evicted.push(instance);
  });
  readonly observe = jest.fn<HealthSink['observe']>();
  readonly onProbe = jest.fn<NonNullable<HealthMonitorOptions['onProbe']>>();
  readonly logged: { level: string; message: string }[] = [];
  closed = 0;
  readonly monitor: HealthMonitor;
  private readonly epoch = Date.now();

  constructor(over: Partial<HealthMonitorOptions> = {}) {
    this.monitor = new HealthMonitor({
      probes: [this.module(), ttl],
      guard: createGuard({ allowLoopback: true, denied: [] }),
      sink: {
        setStatus: (instance, status, result) => {
          this.written.push({ status, version: instance.version, at: this.now() });
          return this.setStatus(instance, status, result);
        },
        evict: this.evict,
        observe: this.observe,
      },
      logger: this.logger(),
      monotonic: () => Date.now(),
      random: () => 0.5,
      onProbe: this.onProbe,
      ...over,
    });
  }

  now(): number {
    return Date.now() - this.epoch;
  }

  times(): number[] {
    return this.probes.map(({ at }) => at);
  }

  statuses(): HealthStatus[] {
    return this.written.map(({ status }) => status);
  }

  /** The registry's view after a write. */
  show(instance: ServiceInstance, probed: HealthStatus): void {
    this.monitor.upsert({ ...instance, probed, version: `${Number(instance.version) + 1}` });
  }

  /** Whether the log has a line with these words. */
  warnings(): string[] {
    return this.logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }

  private module(): ProbeModule {
    return {
      type: 'fake',
      summary: 'does as it is told',
      options: z.object({}),
      create: () => ({
        probe: async (target, signal) => {
          this.probes.push({ at: this.now(), target });
          return this.answer(target, signal);
        },
        close: async () => {
          this.closed++;
        },
      }),
    };
  }

  private logger(): Logger {
    const log = (level: string) => (_fields: object, message: string) => void this.logged.push({ level, message });
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }
}

/** A promise that the test settles. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
