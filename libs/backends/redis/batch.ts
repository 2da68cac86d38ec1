import { abortable, asBackendError } from '#core';

/** A call that is full goes at once: Redis does it while we make the next. */
const AT_ONCE = 32;

interface Asked<Args, Answer> {
  readonly args: Args;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked for in one turn of the event loop goes to Redis in one call, in order: what a call costs both sides
 * besides is a multiple of what one more in it does. Each is done, or fails, as if it were alone.
 */
export class Batch<Args, Answer> {
  private asked: Asked<Args, Answer>[] = [];

  /** @param call Resolves with an answer for each, in the same order. */
  constructor(private readonly call: (all: readonly Args[]) => Promise<readonly Answer[]>) {}

  /** Aborted meanwhile, it may be done all the same. */
  async ask(args: Args, signal: AbortSignal | undefined): Promise<Answer> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.asked.push({ args, resolve, reject });
      if (this.asked.length === 1) setImmediate(() => void this.send());
      else if (this.asked.length === AT_ONCE) void this.send();
    });
    try {
      return await abortable(answer, signal);
    } catch (error) {
      throw asBackendError(error, 'OUTCOME_UNKNOWN');
    }
  }

  private async send(): Promise<void> {
    const asked = this.asked;
    if (asked.length === 0) return;
    this.asked = [];
    try {
      const answers = await this.call(asked.map(({ args }) => args));
      asked.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
