import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhenResult,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import type { CallPolicy } from './policy.js';

/** Remembered for so many instances or services. */
const KEPT = 10_000;

/** What is left alone after failures in a row, by key. Whose turn to be tried again it is takes one call. */
export class Breakers {
  private readonly byKey = new Map<string, CircuitBreakerPolicy>();
  private readonly openedAt = new Map<string, number>();

  constructor(
    private readonly policy: Pick<CallPolicy, 'failureThreshold' | 'recoveryMs'>,
    private readonly blames: {
      readonly result: (result: unknown) => boolean;
      readonly error: (error: Error) => boolean;
    },
    private readonly onChange: (key: string, open: boolean) => void,
  ) {}

  /** It is left alone, or the one call that tries it again is under way. */
  isOpen(key: string): boolean {
    const breaker = this.byKey.get(key);
    if (!breaker) return false;
    return breaker.state === CircuitState.HalfOpen || (breaker.state === CircuitState.Open && !this.isDue(key));
  }

  /** @throws BrokenCircuitError when it is left alone; else what the work throws. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.of(key).execute(work);
  }

  private isDue(key: string): boolean {
    return performance.now() - (this.openedAt.get(key) ?? 0) >= this.policy.recoveryMs;
  }

  private of(key: string): CircuitBreakerPolicy {
    let breaker = this.byKey.get(key);
    if (breaker) return breaker;
    if (this.byKey.size >= KEPT) {
      // The oldest, whatever it is: a breaker that is forgotten is a closed one.
      const [oldest] = this.byKey.keys();
      this.byKey.delete(oldest!);
      this.openedAt.delete(oldest!);
    }
    breaker = circuitBreaker(handleWhenResult(this.blames.result).orWhen(this.blames.error), {
      halfOpenAfter: this.policy.recoveryMs,
      breaker: new ConsecutiveBreaker(this.policy.failureThreshold),
    });
    breaker.onBreak(() => {
      this.openedAt.set(key, performance.now());
      this.onChange(key, true);
    });
    breaker.onReset(() => {
      this.openedAt.delete(key);
      this.onChange(key, false);
    });
    this.byKey.set(key, breaker);
    return breaker;
  }
}

export function isBroken(error: unknown): boolean {
  return error instanceof BrokenCircuitError;
}
