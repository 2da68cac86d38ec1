import { LRUCache } from 'lru-cache';

/**
 * Volatile fields move without a new revision: an answer that shows them is made anew when it is
 * asked for after this long.
 */
const FRESH_MS = 1_000;
/** What an entry costs beside its bytes. */
const OVERHEAD_BYTES = 512;

/** An answer ready to be sent. */
export interface ReadyAnswer {
  readonly body: Buffer;
  /** Of the content without what is volatile. */
  readonly etag: string;
  /** The service that it depends on; undefined: all of them. */
  readonly scope: string | undefined;
  /** The revision of that scope at which it was made. */
  readonly revision: number;
  /** Some of what it shows is held. */
  readonly held: boolean;
  /** Nothing of what it shows moves without a new revision. */
  readonly settled: boolean;
  /** Milliseconds, monotonic. */
  readonly madeAt: number;
}

/** The bytes of recent answers by what the caller may see, path and query: bounded in bytes, least recently used out first. */
export class AnswerCache {
  private readonly answers: LRUCache<string, ReadyAnswer>;

  constructor(
    maxBytes: number,
    private readonly revisionOf: (scope: string | undefined) => number,
  ) {
    this.answers = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  find(visibility: string, url: string): ReadyAnswer | undefined {
    const answer = this.answers.get(keyOf(visibility, url));
    if (!answer) return undefined;
    if (this.revisionOf(answer.scope) !== answer.revision) return undefined;
    return answer.settled || performance.now() - answer.madeAt < FRESH_MS ? answer : undefined;
  }

  keep(visibility: string, url: string, answer: ReadyAnswer): void {
    this.answers.set(keyOf(visibility, url), answer);
  }
}

function keyOf(visibility: string, url: string): string {
  return `${visibility}\n${url}`;
}

function sizeOf(answer: ReadyAnswer, key: string): number {
  return answer.body.length + 2 * key.length + OVERHEAD_BYTES;
}
