import {
  protocolOf,
  type HealthCheck,
  type HealthProbe,
  type ProbeContext,
  type ProbeModule,
  type ProbeResult,
  type ServiceInstance,
} from '#core';
import { orAborted } from './abort.js';

/** A check holds its place among those in flight for no longer than this, whatever it asks for. */
const MAX_TIMEOUT_MS = 5 * 60_000;
/** What a probe that does not heed its signal is given before nobody waits for it any more. */
const GRACE_MS = 1_000;
/** A failure that comes so much later than it must is our own: this process was frozen, starved or asleep. */
const STALL_MS = 2 * GRACE_MS;

export type ProbeAttempt =
  | { readonly result: ProbeResult; readonly durationMs: number }
  /** The probe could not be made, which says nothing of the instance. */
  | { readonly error: Error; readonly durationMs: number };

/** Makes each probe when it is first needed, and runs them with their deadlines. */
export class ProbeRunner {
  private readonly modules: ReadonlyMap<string, ProbeModule>;
  private readonly made = new Map<string, HealthProbe>();

  constructor(
    modules: readonly ProbeModule[],
    private readonly context: ProbeContext,
    private readonly monotonic: () => number,
  ) {
    this.modules = new Map(modules.map((module) => [module.type, module]));
  }

  /** Whether checks of this type are to be run; those of unknown types are, to say that they cannot be. */
  isActive(type: string): boolean {
    const module = this.modules.get(type);
    return module === undefined || module.create !== undefined;
  }

  isCostly(type: string): boolean {
    return this.modules.get(type)?.costly === true;
  }

  /** Never rejects. When `signal` aborts, the attempt ends and means nothing. */
  async run(instance: ServiceInstance, check: HealthCheck, signal: AbortSignal): Promise<ProbeAttempt> {
    const began = this.monotonic();
    try {
      const result = await this.within(check, signal, (deadline) => this.probe(instance, check, deadline));
      const durationMs = this.monotonic() - began;
      if (result.status !== 'critical' || durationMs < timeoutOf(check) + STALL_MS) return { result, durationMs };
      return { error: new Error('this process stood still meanwhile'), durationMs };
    } catch (error) {
      return {
        error: error instanceof Error ? error : new Error(String(error)),
        durationMs: this.monotonic() - began,
      };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.made.values()].map(async (probe) => probe.close?.()));
  }

  private async probe(instance: ServiceInstance, check: HealthCheck, signal: AbortSignal): Promise<ProbeResult> {
    const { address, port } = instance;
    return this.probeOf(check.type).probe(
      { address, port, protocol: protocolOf(instance), options: check.options },
      signal,
    );
  }

  private probeOf(type: string): HealthProbe {
    const made = this.made.get(type) ?? this.modules.get(type)?.create?.(this.context);
    if (!made) throw new Error(`there is no probe of type "${type}" here`);
    this.made.set(type, made);
    return made;
  }

  private async within(
    check: HealthCheck,
    outer: AbortSignal,
    probe: (signal: AbortSignal) => Promise<ProbeResult>,
  ): Promise<ProbeResult> {
    const timeout = timeoutOf(check);
    const deadline = new AbortController();
    const hardStop = new AbortController();
    const timers: NodeJS.Timeout[] = [];
    const abort = (reason: unknown) => {
      deadline.abort(reason);
      timers.push(
        setTimeout(() => hardStop.abort(new Error('the probe does not heed its deadline')), GRACE_MS).unref(),
      );
    };
    const onOuterAbort = () => abort(outer.reason);
    outer.addEventListener('abort', onOuterAbort, { once: true });
    timers.push(setTimeout(() => abort(new Error(`no answer within ${timeout} ms`)), timeout).unref());
    try {
      return await orAborted(probe(deadline.signal), hardStop.signal);
    } finally {
      outer.removeEventListener('abort', onOuterAbort);
      timers.forEach((timer) => clearTimeout(timer));
    }
  }
}

function timeoutOf({ timeout }: HealthCheck): number {
  return Math.min(timeout, MAX_TIMEOUT_MS);
}
