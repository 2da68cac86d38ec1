import type { DiscoveryClient } from '../client.js';
import { NoInstanceError } from '../errors.js';
import type { Instance } from '../instance.js';
import type { Picked } from '../discovery/picker.js';
import { attempt, HungUpError } from './attempt.js';
import { Breakers, isBroken } from './breakers.js';
import { RetryBudget } from './budget.js';
import { CallResponse, hasFailed, mayRepeat, retryAfterOf, type Call } from './call.js';
import { CallFailedError, CircuitOpenError, StatusError } from './errors.js';
import { PRESETS, type CallPolicy } from './policy.js';

/** For metrics: told as it happens, and must not throw. */
export interface CallEvents {
  readonly attempt?: (told: {
    service: string;
    serviceId: string;
    ok: boolean;
    durationMs: number;
    number: number;
  }) => void;
  readonly breaker?: (told: { key: string; open: boolean }) => void;
}

export interface CommunicatorOptions {
  readonly policy?: CallPolicy;
  /** Of calls that name none; `power_of_two` by default, which notices who is slow. */
  readonly strategy?: string;
  readonly events?: CallEvents | readonly CallEvents[];
}

export interface ParallelResult<T = unknown> {
  readonly call_index: number;
  readonly success: boolean;
  readonly data?: T;
  readonly error?: Error;
}

const NEVER = new AbortController().signal;
const PARALLEL = 10;

/** What an attempt came to. */
type Result = CallResponse | Error;

/** Calls services: on another instance where one fails, as often and as long as the policy lets it. */
export class ServiceCommunicator {
  private readonly policy: CallPolicy;
  private readonly strategy: string;
  private readonly events: readonly CallEvents[];
  private readonly instances: Breakers;
  private readonly services: Breakers;
  private readonly budgets = new Map<string, RetryBudget>();

  constructor(
    private readonly client: DiscoveryClient,
    { policy = PRESETS.standard, strategy = 'power_of_two', events = [] }: CommunicatorOptions = {},
  ) {
    this.policy = policy;
    this.strategy = strategy;
    this.events = [events].flat();
    const failed = (result: unknown) => result instanceof CallResponse && hasFailed(result.status);
    const told = (key: string, open: boolean) => {
      for (const { breaker } of this.events) breaker?.({ key, open });
    };
    const breakers = (isFault: (error: Error) => boolean) =>
      new Breakers(policy, client.clock, { result: failed, error: isFault }, told);
    this.instances = breakers((error) => !(error instanceof HungUpError));
    this.services = breakers((error) => error instanceof CallFailedError);
  }

  /**
   * The first good answer, else the last one, whatever its status.
   * @throws CallFailedError when none came; NoInstanceError; CircuitOpenError; the signal's reason.
   */
  async call(call: Call): Promise<CallResponse> {
    call.signal?.throwIfAborted();
    try {
      return await this.services.run(call.service, () => this.attempts(call));
    } catch (error) {
      if (isBroken(error)) throw new CircuitOpenError(call.service);
      throw error;
    }
  }

  /** What it says. @throws StatusError for an answer that is no success; else as `call`. */
  async callJson<T = unknown>(call: Call): Promise<T> {
    const response = await this.call({ ...call, headers: { accept: 'application/json', ...call.headers } });
    if (!response.ok) throw new StatusError(call.service, response.status, response.text());
    return response.json() as T;
  }

  /** Of the one service, or where that fails, of the other. A signal that aborts ends both. */
  async callWithFallback<T = unknown>(primary: string, fallback: string, call: Omit<Call, 'service'>): Promise<T> {
    try {
      return await this.callJson<T>({ ...call, service: primary });
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof StatusError && !hasFailed(error.status)) throw error;
      return this.callJson<T>({ ...call, service: fallback });
    }
  }

  /** Each by itself, so many at once; in the order of the calls, whatever becomes of them. */
  async parallel<T = unknown>(calls: readonly Call[], concurrency = PARALLEL): Promise<ParallelResult<T>[]> {
    const results: ParallelResult<T>[] = [];
    let next = 0;
    const work = async () => {
      while (next < calls.length) {
        const call_index = next++;
        results[call_index] = await this.callJson<T>(calls[call_index]!).then(
          (data) => ({ call_index, success: true, data }),
          (error: unknown) => ({ call_index, success: false, error: error as Error }),
        );
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, calls.length) }, work));
    return results;
  }

  private async attempts(call: Call): Promise<CallResponse> {
    const { maxAttempts, baseDelayMs, maxDelayMs, deadlineMs } = this.policy;
    const deadline = this.client.clock.now() + Math.min(call.deadlineMs ?? Infinity, deadlineMs);
    const budget = this.budgetOf(call.service);
    budget.paid();
    const tried = new Set<string>();
    for (let number = 1; ; number++) {
      const result = await this.once(call, tried, deadline, number);
      if (result instanceof CallResponse && !hasFailed(result.status)) return result;
      call.signal?.throwIfAborted();
      const limitMs = Math.min(baseDelayMs * 2 ** (number - 1), maxDelayMs);
      const waitMs = Math.max(Math.random() * limitMs, this.askedToWait(call, result, tried));
      const over = number >= maxAttempts || this.client.clock.now() + waitMs >= deadline;
      if (over || !mayRepeat(call) || !budget.take()) {
        if (result instanceof CallResponse) return result;
        throw result instanceof NoInstanceError ? result : new CallFailedError(call.service, number, result);
      }
      await this.client.clock.pause(waitMs, call.signal ?? NEVER);
      call.signal?.throwIfAborted();
    }
  }

  private async once(call: Call, tried: Set<string>, deadline: number, number: number): Promise<Result> {
    let picked: Picked;
    try {
      picked = this.pick(call, tried);
    } catch (error) {
      return error as Error;
    }
    const { instance, done } = picked;
    tried.add(instance.serviceId);
    const began = performance.now();
    const timeoutMs = Math.min(this.policy.attemptTimeoutMs, deadline - this.client.clock.now());
    const work = () => attempt(call, instance, timeoutMs, number);
    // Where too many are left alone already, one more is tried all the same.
    const guarded = this.instances.isOpen(keyOf(instance)) ? work() : this.instances.run(keyOf(instance), work);
    const result: Result = await guarded.catch((error: unknown) => error as Error);
    const durationMs = performance.now() - began;
    const ok = result instanceof CallResponse && !hasFailed(result.status);
    // Whoever was hung up on has not failed.
    done(call.signal?.aborted ? { released: true } : { ok, durationMs });
    const told = { service: call.service, serviceId: instance.serviceId, ok, durationMs, number };
    for (const { attempt } of this.events) attempt?.(told);
    return result;
  }

  /** One that is not left alone and was not tried, as far as there is one. */
  private pick({ service, strategy = this.strategy, filter, key }: Call, tried: ReadonlySet<string>): Picked {
    const alone = this.leftAlone(service);
    const wishes = [new Set([...tried, ...alone]), alone, tried, new Set<string>()];
    let missing: unknown;
    for (const exclude of wishes) {
      try {
        return this.client.pick(service, { strategy, filter, key, exclude });
      } catch (error) {
        if (!(error instanceof NoInstanceError)) throw error;
        missing = error;
      }
    }
    throw missing;
  }

  /** None where they are more than the policy lets be. */
  private leftAlone(service: string): ReadonlySet<string> {
    const instances = this.client.instances(service);
    const open = instances.filter((instance) => this.instances.isOpen(keyOf(instance)));
    const few = open.length <= instances.length * this.policy.maxEjectedShare;
    return new Set(few ? open.map(({ serviceId }) => serviceId) : []);
  }

  /** What the instance asks for counts where there is no other one to go to. */
  private askedToWait({ service }: Call, result: Result, tried: ReadonlySet<string>): number {
    const asked = result instanceof CallResponse ? retryAfterOf(result.headers) : undefined;
    if (asked === undefined) return 0;
    const others = this.client.instances(service, { healthyOnly: true }).some(({ serviceId }) => !tried.has(serviceId));
    return others ? 0 : asked;
  }

  private budgetOf(service: string): RetryBudget {
    let budget = this.budgets.get(service);
    if (!budget) this.budgets.set(service, (budget = new RetryBudget(this.policy.retryShare)));
    return budget;
  }
}

function keyOf({ serviceName, serviceId }: Instance): string {
  return `${serviceName}/${serviceId}`;
}
