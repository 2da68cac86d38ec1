import type { Answer, HttpClient, Method } from '../../support/http-client.js';

/** Far above the 3 s in which a write is answered: the machine may be busy. */
const LONGEST_MS = 10_000;

/** `done`: as asked. `refused`: it has not happened. `unknown`: nobody can say. `missing`: there is no such instance. */
export type Outcome = 'done' | 'refused' | 'unknown' | 'missing';

/** Every write of a trial goes through here, so that no answer of a wrong form is overlooked. */
export class Writes {
  readonly counts: Record<Outcome, number> = { done: 0, refused: 0, unknown: 0, missing: 0 };
  /** Of those that the registry was not there for. */
  slowestRefusalMs = 0;
  readonly violations: string[] = [];

  constructor(private readonly http: () => HttpClient) {}

  async write(method: Method, path: string, body?: unknown): Promise<Outcome> {
    const begun = performance.now();
    const answer = await this.http()
      .send(method, path, { body })
      .catch(() => undefined);
    const outcome = this.outcomeOf(answer, `${method} ${path}`, performance.now() - begun);
    this.counts[outcome]++;
    return outcome;
  }

  private outcomeOf(answer: Answer | undefined, what: string, ms: number): Outcome {
    // The server itself was killed.
    if (!answer) return 'unknown';
    if (ms > LONGEST_MS) this.violations.push(`${what} was answered after ${ms} ms`);
    if (answer.status < 300) return 'done';
    if (answer.status === 404) return 'missing';
    this.slowestRefusalMs = Math.max(this.slowestRefusalMs, ms);
    if (answer.status !== 503 || answer.headers['retry-after'] === undefined) {
      this.violations.push(`${what}: ${answer.status} ${answer.text}`);
    }
    return answer.problem.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused';
  }
}
