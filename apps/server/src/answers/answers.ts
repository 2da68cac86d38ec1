import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog } from '#catalog';
import { BackendError } from '#core';
import type { Sessions } from '../auth/sessions.js';
import { whileConnected } from '../http/connected.js';
import { Problem } from '../http/problem.js';
import { REQUEST_ID } from '../http/request-id.js';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import type { AnswerTally } from '../metrics/answer-tally.js';
import type { AnswerCache, ReadyAnswer } from './answer-cache.js';
import { etagOf, matchesWeakly } from './etag.js';

/** The longest that a caller may wait for a change. */
export const MAX_WAIT_MS = 600_000;

/** A revision of some process's view, as a caller names it. */
export interface RevisionRef {
  readonly epoch: string;
  readonly number: number;
}

/** How fresh the answer must be, and what to wait for first. */
export interface FreshnessRequest {
  readonly index?: RevisionRef;
  readonly waitMs: number;
  readonly minRevision?: RevisionRef;
}

/** Whether what moves all the time is shown: it is left out where content is compared. */
export interface Presentation {
  readonly vitals: boolean;
}

/** What an answer is made of, from the view as it is at that moment. */
export interface Content {
  /** Called with everything that is shown; unless that is settled, once more without what is volatile. */
  readonly body: (presentation: Presentation) => object;
  readonly held: boolean;
  /** Nothing of what it shows moves without a new revision. */
  readonly settled?: boolean;
}

export interface Read {
  /** The service that the answer depends on; undefined: all of them. */
  readonly scope: string | undefined;
  readonly freshness: FreshnessRequest;
  readonly content: () => Content | Promise<Content>;
}

const REACH_MS = 5_000;
const REVISION = 'X-Registry-Revision';
const AGE = 'X-Registry-Age';
const SOURCE = 'X-Registry-Source';
const HELD = 'X-Registry-Held';
/** Of the answer to a write that came before there was a view. */
const NO_VIEW = 'none';
const SECURITY = Object.entries(SECURITY_HEADERS).flat();
const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers reads: waits for what the caller wants to see, and says how fresh it is. */
export class Answers {
  private readonly leaves = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly cache: AnswerCache,
    private readonly tally: AnswerTally,
    private readonly sessions: Sessions,
  ) {}

  async send(request: FastifyRequest, reply: FastifyReply, read: Read): Promise<void> {
    await this.ready(request, reply, read.freshness, read.scope);
    // Whoever waited in vain for a change may be gone; an answer for nobody is not made.
    if (request.raw.socket.destroyed) {
      reply.hijack();
      return;
    }
    const visibility = request.caller.visibility.key;
    // Of many that were woken by one change, the first makes the answer for all.
    const url = withoutFreshness(request.url);
    let answer = this.cache.find(visibility, url);
    const kept = answer !== undefined;
    if (!answer) {
      const revision = this.catalog.revisionOf(read.scope);
      const found = read.content();
      const content = found instanceof Promise ? await found : found;
      // Where this one had to wait, another may have made it meanwhile.
      answer = this.cache.find(visibility, url) ?? make(content, read.scope, revision);
      this.cache.keep(visibility, url, answer);
    }
    this.tally.count(read.scope, kept);
    this.write(request, reply, answer);
  }

  /** Answers with what is no part of the view: made for each request, kept for none. */
  sendNow(request: FastifyRequest, reply: FastifyReply, content: object): void {
    this.requireView();
    this.setFreshness(reply);
    const body = jsonOf(content);
    this.write(request, reply, { etag: etagOf(body), held: false, body });
  }

  /** Answers from what an earlier request of the same kind has left behind. False when there is nothing. */
  sendKept(request: FastifyRequest, reply: FastifyReply): boolean {
    const answer = this.cache.find(request.caller.visibility.key, request.url);
    if (!answer) return false;
    const { etag, held, body } = answer;
    this.tally.count(answer.scope, true);
    const { source = NO_VIEW, ageMs } = this.catalog.freshnessNow();
    const head = [REQUEST_ID, request.id, REVISION, this.revision, AGE, String(ageMs), SOURCE, source, 'ETag', etag];
    head.push(...SECURITY);
    if (held) head.push(HELD, 'true');
    // Most requests end here: past Fastify's own way to send, which costs a tenth of such an answer.
    reply.hijack();
    if (matchesWeakly(request.headers['if-none-match'], etag)) {
      reply.raw.writeHead(304, head).end();
    } else {
      head.push('Content-Type', JSON_TYPE, 'Content-Length', String(body.length));
      reply.raw.writeHead(200, head).end(body);
    }
    return true;
  }

  /** Nobody waits for a change any more: long polls, those to come too, are answered with what is known now. */
  stopWaiting(): void {
    this.stopped = true;
    for (const leave of this.leaves) leave();
  }

  /** Waits until the view can answer; headers of freshness are set, whatever the answer will be. */
  async ready(
    request: FastifyRequest,
    reply: FastifyReply,
    { index, waitMs, minRevision }: FreshnessRequest,
    scope: string | undefined,
  ): Promise<void> {
    this.requireView();
    if (minRevision) await this.reach(request, minRevision);
    if (index?.epoch === this.catalog.epoch) {
      await this.whileWanted(request, waitMs, (signal) => this.catalog.changedAfter(index.number, scope, signal));
    }
    this.setFreshness(reply);
  }

  /** @throws BackendError `UNAVAILABLE` while there is nothing to answer from: that is no empty registry. */
  requireView(): void {
    const { source, reason } = this.catalog.freshnessNow();
    if (source !== undefined) return;
    throw new BackendError('UNAVAILABLE', `nothing is known of the registry yet${reason ? `: ${reason}` : ''}`);
  }

  /** Also on the answer to a write: what the writer has done is in the view at this revision. */
  setFreshness(reply: FastifyReply): void {
    const { source = NO_VIEW, ageMs } = this.catalog.freshnessNow();
    reply.headers({ [REVISION]: this.revision, [AGE]: String(ageMs), [SOURCE]: source });
  }

  private get revision(): string {
    return `${this.catalog.epoch}.${this.catalog.revision}`;
  }

  private write(
    request: FastifyRequest,
    reply: FastifyReply,
    { etag, held, body }: Pick<ReadyAnswer, 'etag' | 'held' | 'body'>,
  ): void {
    reply.header('ETag', etag);
    if (held) reply.header(HELD, 'true');
    if (matchesWeakly(request.headers['if-none-match'], etag)) {
      void reply.code(304).send();
      return;
    }
    void reply.code(200).header('Content-Type', JSON_TYPE).send(body);
  }

  /**
   * Waits for this caller: no longer than that, than it stays, or than this server does.
   * @throws Problem for who may stay no longer.
   */
  private whileWanted<T>(request: FastifyRequest, ms: number, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return whileConnected(request, async (gone) => {
      const leave = () => gone.abort();
      if (this.stopped) leave();
      this.leaves.add(leave);
      const timer = setTimeout(leave, ms).unref();
      let refusal: Problem | undefined;
      const endSession = this.sessions.begin(request, (problem) => {
        refusal = problem;
        leave();
      });
      try {
        const waited = await wait(gone.signal);
        if (refusal) throw refusal;
        return waited;
      } finally {
        endSession();
        clearTimeout(timer);
        this.leaves.delete(leave);
      }
    });
  }

  /** Of our own epoch: until the view is there. Of another replica's: one read of the registry, begun now, has seen it all. */
  private async reach(request: FastifyRequest, { epoch, number }: RevisionRef): Promise<void> {
    const ours = epoch === this.catalog.epoch || epoch === '';
    const reached = await this.whileWanted(request, REACH_MS, (signal) =>
      ours ? this.catalog.reached(number, signal) : readAnew(this.catalog, signal),
    );
    if (reached) return;
    const detail = 'the view has not reached that revision';
    throw new Problem(503, 'REVISION_NOT_REACHED', detail, {}, { 'Retry-After': '1' });
  }
}

function make({ body, held, settled = false }: Content, scope: string | undefined, revision: number): ReadyAnswer {
  const shown = jsonOf(body({ vitals: true }));
  return {
    body: shown,
    etag: etagOf(settled ? shown : JSON.stringify(body({ vitals: false }))),
    scope,
    revision,
    held,
    settled,
    madeAt: performance.now(),
  };
}

async function readAnew(catalog: Catalog, signal: AbortSignal): Promise<boolean> {
  const given = new Promise<boolean>((resolve) =>
    signal.addEventListener('abort', () => resolve(false), { once: true }),
  );
  const read = catalog.refresh().then(
    () => true,
    () => false,
  );
  return signal.aborted ? false : Promise.race([read, given]);
}

const FRESHNESS_PARAMETER = /^(index|wait|min_revision)=/;

/** What is asked for, without how fresh it must be: answers are the same. */
function withoutFreshness(url: string): string {
  const mark = url.indexOf('?');
  if (mark < 0) return url;
  const path = url.slice(0, mark);
  // A value may hold a question mark too.
  const rest = url
    .slice(mark + 1)
    .split('&')
    .filter((part) => !FRESHNESS_PARAMETER.test(part));
  return rest.length === 0 ? path : `${path}?${rest.join('&')}`;
}

/** @throws Problem 400 when it is longer than a string can be, half a gigabyte. */
function jsonOf(content: object): Buffer {
  try {
    return Buffer.from(JSON.stringify(content));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Problem(400, 'ANSWER_TOO_LARGE', 'there is too much for one answer: ask with limit and cursor');
  }
}
