import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notReady, type Catalog } from '#catalog';
import { visibilityOf } from '../auth/caller.js';
import { Problem } from '../http/problem.js';
import type { AnswerCache, ReadyAnswer } from './answer-cache.js';

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

/** What an answer is made of, from the view as it is at that moment. */
export interface Content {
  /** Called once with everything that is shown, once without what is volatile. */
  readonly body: (presentation: { readonly vitals: boolean }) => object;
  readonly held: boolean;
}

export interface Read {
  /** The service that the answer depends on; undefined: all of them. */
  readonly scope: string | undefined;
  readonly freshness: FreshnessRequest;
  readonly content: () => Content;
}

const REACH_MS = 5_000;
const REVISION = 'X-Registry-Revision';
const AGE = 'X-Registry-Age';
const SOURCE = 'X-Registry-Source';
const HELD = 'X-Registry-Held';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers reads: waits for what the caller wants to see, and says how fresh it is. */
export class Answers {
  private readonly leaves = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly cache: AnswerCache,
  ) {}

  async send(request: FastifyRequest, reply: FastifyReply, read: Read): Promise<void> {
    await this.ready(request, reply, read.freshness, read.scope);
    const answer = this.make(read);
    const { index, minRevision } = read.freshness;
    if (!index && !minRevision) this.cache.keep(visibilityOf(request), request.url, answer);
    this.write(request, reply, answer);
  }

  /** Answers with what is no part of the view: made for each request, kept for none. */
  sendNow(request: FastifyRequest, reply: FastifyReply, content: object): void {
    this.setFreshness(reply);
    const body = Buffer.from(JSON.stringify(content));
    this.write(request, reply, { etag: etagOf(body), held: false, body });
  }

  /** Answers from what an earlier request of the same kind has left behind. False when there is nothing. */
  sendKept(request: FastifyRequest, reply: FastifyReply): boolean {
    const answer = this.cache.find(visibilityOf(request), request.url);
    if (!answer) return false;
    const { etag, held, body } = answer;
    const { source = 'stale', ageMs } = this.catalog.freshnessNow();
    const head = [REVISION, this.revision, AGE, String(ageMs), SOURCE, source, 'ETag', etag];
    if (held) head.push(HELD, 'true');
    // Most requests end here: past Fastify's own way to send, which costs a tenth of such an answer.
    reply.hijack();
    if (matches(request.headers['if-none-match'], etag)) {
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
    const { source, reason } = this.catalog.freshnessNow();
    if (source === undefined) throw notReady(reason);
    if (minRevision) await this.reach(minRevision);
    if (index?.epoch === this.catalog.epoch) await this.waitForChange(request, index.number, waitMs, scope);
    this.setFreshness(reply);
  }

  /** Also on the answer to a write: what the writer has done is in the view at this revision. */
  setFreshness(reply: FastifyReply): void {
    const { source = 'stale', ageMs } = this.catalog.freshnessNow();
    reply.headers({ [REVISION]: this.revision, [AGE]: String(ageMs), [SOURCE]: source });
  }

  private get revision(): string {
    return `${this.catalog.epoch}.${this.catalog.revision}`;
  }

  private make({ scope, content }: Read): ReadyAnswer {
    const revision = this.catalog.revisionOf(scope);
    const { body, held } = content();
    return {
      body: Buffer.from(JSON.stringify(body({ vitals: true }))),
      etag: etagOf(JSON.stringify(body({ vitals: false }))),
      scope,
      revision,
      held,
      madeAt: performance.now(),
    };
  }

  private write(
    request: FastifyRequest,
    reply: FastifyReply,
    { etag, held, body }: Pick<ReadyAnswer, 'etag' | 'held' | 'body'>,
  ): void {
    reply.header('ETag', etag);
    if (held) reply.header(HELD, 'true');
    if (matches(request.headers['if-none-match'], etag)) {
      void reply.code(304).send();
      return;
    }
    void reply.code(200).header('Content-Type', JSON_TYPE).send(body);
  }

  private async waitForChange(
    request: FastifyRequest,
    after: number,
    waitMs: number,
    scope: string | undefined,
  ): Promise<void> {
    if (this.stopped) return;
    const gone = new AbortController();
    const leave = () => gone.abort();
    this.leaves.add(leave);
    request.raw.socket.once('close', leave);
    const timer = setTimeout(leave, waitMs).unref();
    try {
      await this.catalog.changedAfter(after, scope, gone.signal);
    } finally {
      clearTimeout(timer);
      this.leaves.delete(leave);
      request.raw.socket.removeListener('close', leave);
    }
  }

  /** Of our own epoch: until the view is there. Of another replica's: one read of the registry, begun now, has seen it all. */
  private async reach(wanted: RevisionRef): Promise<void> {
    const reached =
      wanted.epoch === this.catalog.epoch || wanted.epoch === ''
        ? await this.catalog.reached(wanted.number, AbortSignal.timeout(REACH_MS))
        : await this.catalog.refresh().then(
            () => true,
            () => false,
          );
    if (reached) return;
    throw new Problem(
      503,
      'REVISION_NOT_REACHED',
      'the view has not reached that revision',
      {},
      { 'Retry-After': '1' },
    );
  }
}

function etagOf(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/** If-None-Match compares weakly (RFC 9110, section 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}
