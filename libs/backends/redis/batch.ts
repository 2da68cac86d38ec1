import { abortable, asBackendError } from '#core';
import { AT_ONCE } from './scripts.js';

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
      if (this.asked.length === 1) setImmediate(() => this.send());
    });
    try {
      return await abortable(answer, signal);
    } catch (error) {
      throw asBackendError(error, 'OUTCOME_UNKNOWN');
    }
  }

  private send(): void {
    const all = this.asked;
    this.asked = [];
    for (let from = 0; from < all.length; from += AT_ONCE) void this.sendSome(all.slice(from, from + AT_ONCE));
  }

  private async sendSome(some: readonly Asked<Args, Answer>[]): Promise<void> {
    try {
      const answers = await this.call(some.map(({ args }) => args));
      some.forEach(({ resolve }, i) => resolve(answers[i]!));
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
