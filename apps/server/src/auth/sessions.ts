import type { FastifyRequest } from 'fastify';
import type { Problem } from '../http/problem.js';
import type { Authenticator } from './authenticator.js';

/** How often it is looked whose credential has ended. */
const LOOK_EVERY_MS = 1_000;
/** That are looked at before everybody else has a turn. */
const SLICE = 128;

/** Gives a request the caller that it is of now. Resolves with the refusal of who may stay no longer; never rejects. */
export type Readmit = (request: FastifyRequest) => Promise<Problem | undefined>;

interface Session {
  readonly request: FastifyRequest;
  readonly ended: (refusal: Problem | undefined) => void;
  /** What its credential means may have changed. */
  due: boolean;
  looking: boolean;
}

/**
 * Requests that are answered for long, streams and long polls: who asks is looked at again when the credential ends,
 * and when credentials or rights have come to mean something else.
 */
export class Sessions {
  private readonly open = new Set<Session>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly readmit: Readmit,
    authenticator: Authenticator,
  ) {
    authenticator.onForget = () => {
      for (const session of this.open) session.due = true;
      this.look();
    };
  }

  /**
   * @param ended Called once, with the refusal of who may stay no longer, or without one for who is somebody else now,
   * or may see something else: the request has its new caller then.
   * @returns The way out.
   */
  begin(request: FastifyRequest, ended: (refusal: Problem | undefined) => void): () => void {
    const session = { request, ended, due: false, looking: false };
    this.open.add(session);
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    return () => this.leave(session);
  }

  private leave(session: Session): void {
    this.open.delete(session);
    if (this.open.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = Date.now();
    let left = SLICE;
    for (const session of this.open) {
      if (session.looking || !(session.due || session.request.caller.expiresAt <= now)) continue;
      if (left-- === 0) {
        setImmediate(() => this.look());
        return;
      }
      void this.lookAt(session);
    }
  }

  /** Never rejects. */
  private async lookAt(session: Session): Promise<void> {
    const { request, ended } = session;
    const { name, visibility } = request.caller;
    session.due = false;
    session.looking = true;
    const refusal = await this.readmit(request);
    session.looking = false;
    const same = !refusal && request.caller.name === name && request.caller.visibility.key === visibility.key;
    if (same || !this.open.has(session)) return;
    this.leave(session);
    ended(refusal);
  }
}
