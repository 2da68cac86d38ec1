import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, HttpClient } from './http-client.js';

/** Of the view that an answer was made from. */
export function revisionNumber({ revision }: Answer): number {
  return Number(revision.split('.')[1]);
}

/**
 * The first answer that fits, found by long polls. What moves without a revision (load, the time of a
 * check) is seen too: none of them waits for more than a moment.
 */
export async function untilAnswer<Data>(
  http: HttpClient,
  path: string,
  fits: (answer: Answer<Data>) => boolean,
  what: string,
  withinMs = 20_000,
): Promise<Answer<Data>> {
  const deadline = performance.now() + withinMs;
  for (let index = '0'; ;) {
    const answer = await http.get<Data>(`${path}?index=${index}&wait=200ms`);
    if (fits(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms, but ${answer.text}`);
    // An error answers at once.
    if (answer.status !== 200) await sleep(20);
    index = answer.revision === '' ? '0' : answer.revision;
  }
}
