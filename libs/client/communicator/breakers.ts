import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhenResult,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import type { Clock } from '../clock.js';
import type { CallPolicy } from './policy.js';

/** Remembered for so many instances or services. */
const KEPT = 10_000;

/** What is left alone after failures in a row, by key. Whose turn to be tried again it is takes one call. */
export class Breakers {
  private readonly byKey = new Map<string, CircuitBreakerPolicy>();
  private readonly openedAt = new Map<string, number>();

  constructor(
    private readonly policy: Pick<CallPolicy, 'failureThreshold' | 'recoveryMs'>,
    private readonly clock: Clock,
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
    const { state } = breaker;
    return state === CircuitState.HalfOpen || (state === CircuitState.Open && !this.isDue(key));
  }

  /** @throws BrokenCircuitError when it is left alone; else what the work throws. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.isOpen(key)) throw new BrokenCircuitError();
    return this.of(key).execute(work);
  }

  private isDue(key: string): boolean {
    return this.clock.now() - (this.openedAt.get(key) ?? 0) >= this.policy.recoveryMs;
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
      // When it is due is for our clock to say.
      halfOpenAfter: 0,
      breaker: new ConsecutiveBreaker(this.policy.failureThreshold),
    });
    breaker.onBreak(() => {
      this.openedAt.set(key, this.clock.now());
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
