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

export interface BreakerRules extends Pick<CallPolicy, 'failureThreshold' | 'recoveryMs'> {
  readonly blamesResult: (result: unknown) => boolean;
  readonly blamesError: (error: Error) => boolean;
  /**
   * Of failures in a row, those count that have begun after the one before was known: many that were under way at
   * once, when their caller stood still for a moment, say, are one.
   */
  readonly oneAfterTheOther: boolean;
}

interface Circuit {
  readonly breaker: CircuitBreakerPolicy;
  openedAt: number;
  /** So many have counted. */
  failures: number;
}

/** What is left alone after failures in a row, by key. Whose turn to be tried again it is takes one call. */
export class Breakers {
  private readonly circuits = new Map<string, Circuit>();

  constructor(
    private readonly rules: BreakerRules,
    private readonly clock: Clock,
    private readonly onChange: (key: string, open: boolean) => void,
  ) {}

  /** It is left alone, or the one call that tries it again is under way. */
  isOpen(key: string): boolean {
    const circuit = this.circuits.get(key);
    if (!circuit) return false;
    const { state } = circuit.breaker;
    return state === CircuitState.HalfOpen || (state === CircuitState.Open && !this.isDue(circuit));
  }

  /** @throws BrokenCircuitError when it is left alone; else what the work throws. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.isOpen(key)) throw new BrokenCircuitError();
    const circuit = this.of(key);
    try {
      return await circuit.breaker.execute(() => this.watched(circuit, work));
    } catch (error) {
      if (error instanceof Beside) return (error as Beside<T>).outcome();
      throw error;
    }
  }

  private async watched<T>(circuit: Circuit, work: () => Promise<T>): Promise<T> {
    const { failures } = circuit;
    const { blamesResult, blamesError, oneAfterTheOther } = this.rules;
    const fail = (outcome: () => T) => {
      if (oneAfterTheOther && circuit.failures > failures) throw new Beside(outcome);
      circuit.failures++;
    };
    let result: T;
    try {
      result = await work();
    } catch (error) {
      const again = (): never => {
        throw error;
      };
      if (blamesError(error as Error)) fail(again);
      return again();
    }
    if (blamesResult(result)) fail(() => result);
    return result;
  }

  private isDue({ openedAt }: Circuit): boolean {
    return this.clock.now() - openedAt >= this.rules.recoveryMs;
  }

  private of(key: string): Circuit {
    const known = this.circuits.get(key);
    if (known) return known;
    if (this.circuits.size >= KEPT) {
      // The oldest, whatever it is: a breaker that is forgotten is a closed one.
      const [oldest] = this.circuits.keys();
      this.circuits.delete(oldest!);
    }
    const { blamesResult, blamesError, failureThreshold } = this.rules;
    const breaker = circuitBreaker(handleWhenResult(blamesResult).orWhen(blamesError), {
      // When it is due is for our clock to say.
      halfOpenAfter: 0,
      breaker: new ConsecutiveBreaker(failureThreshold),
    });
    const circuit: Circuit = { breaker, openedAt: 0, failures: 0 };
    breaker.onBreak(() => {
      circuit.openedAt = this.clock.now();
      this.onChange(key, true);
    });
    breaker.onReset(() => this.onChange(key, false));
    this.circuits.set(key, circuit);
    return circuit;
  }
}

/** An outcome that says nothing to the breaker, neither good nor bad: it goes past it as what the breaker does not know. */
class Beside<T> extends Error {
  constructor(readonly outcome: () => T) {
    super();
  }
}

export function isBroken(error: unknown): boolean {
  return error instanceof BrokenCircuitError;
}
