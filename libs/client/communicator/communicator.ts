import type { DiscoveryClient } from '../client.js';
import { NoInstanceError } from '../errors.js';
import type { Picked } from '../discovery/picker.js';
import { attempt, HungUpError } from './attempt.js';
import { Breakers, isBroken } from './breakers.js';
import { RetryBudget } from './budget.js';
import { Chooser, keyOf } from './chooser.js';
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
    /** The second of two that were under way at once. */
    hedge: boolean;
    /** The other one of the two was quicker: this one was hung up on. */
    late: boolean;
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

/** How far a call has come. */
interface Progress {
  readonly deadline: number;
  readonly budget: RetryBudget;
  /** Ids of those that were asked. */
  readonly tried: Set<string>;
  attempts: number;
}

/** Why one of two attempts is hung up on. */
const LATE = new Error('another instance was quicker');

/** Calls services: on another instance where one fails, as often and as long as the policy lets it. */
export class ServiceCommunicator {
  private readonly policy: CallPolicy;
  private readonly events: readonly CallEvents[];
  private readonly instances: Breakers;
  private readonly services: Breakers;
  private readonly chooser: Chooser;
  private readonly budgets = new Map<string, RetryBudget>();

  constructor(
    private readonly client: DiscoveryClient,
    { policy = PRESETS.standard, strategy = 'power_of_two', events = [] }: CommunicatorOptions = {},
  ) {
    this.policy = policy;
    this.events = [events].flat();
    const failed = (result: unknown) => result instanceof CallResponse && hasFailed(result.status);
    const told = (key: string, open: boolean) => {
      for (const { breaker } of this.events) breaker?.({ key, open });
    };
    const { failureThreshold, recoveryMs } = policy;
    const rules = { failureThreshold, recoveryMs, blamesResult: failed };
    const isOfInstance = (error: Error) => !(error instanceof HungUpError);
    const isOfService = (error: Error) => error instanceof CallFailedError;
    const ofInstances = { ...rules, blamesError: isOfInstance, oneAfterTheOther: false };
    const ofServices = { ...rules, blamesError: isOfService, oneAfterTheOther: true };
    this.instances = new Breakers(ofInstances, client.clock, told);
    this.services = new Breakers(ofServices, client.clock, told);
    this.chooser = new Chooser(client, this.instances, policy, strategy);
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
    const progress: Progress = { deadline, budget, tried: new Set(), attempts: 0 };
    for (;;) {
      const result = await this.hedged(call, progress);
      const { attempts, tried } = progress;
      if (isGood(result)) return result;
      call.signal?.throwIfAborted();
      const limitMs = Math.min(baseDelayMs * 2 ** (attempts - 1), maxDelayMs);
      const waitMs = Math.max(Math.random() * limitMs, this.askedToWait(call, result, tried));
      const over = attempts >= maxAttempts || this.client.clock.now() + waitMs >= deadline;
      if (over || !mayRepeat(call) || !budget.take()) {
        if (result instanceof CallResponse) return result;
        throw result instanceof NoInstanceError ? result : new CallFailedError(call.service, attempts, result);
      }
      await this.client.clock.pause(waitMs, call.signal ?? NEVER);
      call.signal?.throwIfAborted();
    }
  }

  /** An attempt; and one more at another instance where that keeps its caller waiting. Who is later is hung up on. */
  private async hedged(call: Call, progress: Progress): Promise<Result> {
    const { hedgeAfterMs } = call;
    if (hedgeAfterMs === undefined || !mayRepeat(call)) return this.once(call, progress);
    const over = new AbortController();
    const each = { ...call, signal: call.signal ? AbortSignal.any([call.signal, over.signal]) : over.signal };
    const answered = new AbortController();
    const first = this.once(each, progress).finally(() => answered.abort());
    await this.client.clock.pause(hedgeAfterMs, AbortSignal.any([each.signal, answered.signal]));
    const other = answered.signal.aborted || call.signal?.aborted ? undefined : this.another(call, progress);
    if (!other) return first;
    const second = this.at(other, each, progress, true);
    const good = (result: Result) => (isGood(result) ? result : Promise.reject(result));
    const result: Result = await Promise.any([first.then(good), second.then(good)]).catch(() => second);
    over.abort(LATE);
    return result;
  }

  /** For a second attempt, as far as the policy has one and the budget something for it. */
  private another(call: Call, { tried, attempts, budget }: Progress): Picked | undefined {
    if (attempts >= this.policy.maxAttempts) return undefined;
    const other = this.chooser.chooseOther(call, tried);
    if (!other || budget.take()) return other;
    other.done({ released: true });
    return undefined;
  }

  private async once(call: Call, progress: Progress): Promise<Result> {
    let picked: Picked;
    try {
      picked = this.chooser.choose(call, progress.tried);
    } catch (error) {
      progress.attempts++;
      return error as Error;
    }
    return this.at(picked, call, progress, false);
  }

  private async at({ instance, done }: Picked, call: Call, progress: Progress, hedge: boolean): Promise<Result> {
    const number = ++progress.attempts;
    progress.tried.add(instance.serviceId);
    const began = performance.now();
    const timeoutMs = Math.min(this.policy.attemptTimeoutMs, progress.deadline - this.client.clock.now());
    const work = () => attempt(call, instance, timeoutMs, number);
    // Where too many are left alone already, one more is tried all the same.
    const guarded = this.instances.isOpen(keyOf(instance)) ? work() : this.instances.run(keyOf(instance), work);
    const result: Result = await guarded.catch((error: unknown) => error as Error);
    const durationMs = performance.now() - began;
    const ok = isGood(result);
    const late = !ok && call.signal?.reason === LATE;
    // Whoever was hung up on has not failed; who was late has taken so long at least.
    done(call.signal?.aborted && !late ? { released: true } : { ok: ok || late, durationMs });
    const told = { service: call.service, serviceId: instance.serviceId, ok, durationMs, number, hedge, late };
    for (const { attempt } of this.events) attempt?.(told);
    return result;
  }

  /** What the instance asks for counts where there is no other one to go to. */
  private askedToWait({ service, filter }: Call, result: Result, tried: ReadonlySet<string>): number {
    const asked = result instanceof CallResponse ? retryAfterOf(result.headers) : undefined;
    if (asked === undefined) return 0;
    const fit = this.client.instances(service, { ...filter, healthyOnly: true });
    return fit.some(({ serviceId }) => !tried.has(serviceId)) ? 0 : asked;
  }

  private budgetOf(service: string): RetryBudget {
    let budget = this.budgets.get(service);
    if (!budget) {
      budget = new RetryBudget(this.policy.retryShare, this.client.clock);
      this.budgets.set(service, budget);
    }
    return budget;
  }
}

function isGood(result: Result): result is CallResponse {
  return result instanceof CallResponse && !hasFailed(result.status);
}
