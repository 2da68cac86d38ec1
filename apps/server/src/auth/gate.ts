import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger, Presented } from '#core';
// For what routes say of themselves.
import type {} from '../http/negotiation.js';
import { Problem } from '../http/problem.js';
import { addressOf } from '../http/trusted-proxies.js';
import { EVENT_STREAM } from '../streams/index.js';
import type { Tickets } from '../watch/tickets.js';
import type { Authenticator, Finding } from './authenticator.js';
import { Caller } from './caller.js';
import type { Policy } from './policy.js';
import { Brought } from './presented.js';
import { originOf, type RateLimit } from './rate-limit.js';

/** Where everybody is let in or not, before anything else is done for a request. */
export class Gate {
  /** What those brought who have a ticket now, by the request that has it. */
  private readonly ofTickets = new WeakMap<FastifyRequest, Presented>();

  constructor(
    private readonly authenticator: Authenticator,
    private readonly policy: Policy,
    private readonly tickets: Tickets,
    private readonly logger: Logger,
    private readonly trusts: (address: string | undefined) => boolean,
    private readonly limit: RateLimit | undefined,
  ) {}

  /** Gives the request its caller. Calls back with the 401, 403 or 503 of who is not let in. */
  admit(request: FastifyRequest, reply: FastifyReply, done: (refusal?: Problem) => void): void {
    const { need } = request.routeOptions.config;
    // A route that says nothing is for nobody.
    if (need?.role === 'public') {
      request.caller = this.policy.anonymous;
      done();
      return;
    }
    const ticket = ticketOf(request);
    const brought = new Brought(request.raw, this.trusts);
    const known = ticket === undefined ? this.authenticator.recall(brought) : this.redeemable(ticket, request);
    if (known !== undefined) {
      done(this.excess(request, known) ?? this.decide(request, known));
      return;
    }
    // Whoever has guessed too often is not worth the look at another guess.
    const refusal = this.tooEarly(this.limit?.early(originOf(addressOf(request))));
    if (refusal) {
      done(refusal);
      return;
    }
    this.authenticator.find(brought).then(
      (finding) => done(reply.sent ? undefined : (this.excess(request, finding) ?? this.decide(request, finding))),
      (error: unknown) => done(this.unavailable(request, error)),
    );
  }

  /**
   * Who asks is looked at again, of a request that was let in before: it gets the caller that this is now.
   * @returns The refusal of who may stay no longer. Never rejects.
   */
  async readmit(request: FastifyRequest): Promise<Problem | undefined> {
    try {
      const brought = this.ofTickets.get(request) ?? new Brought(request.raw, this.trusts);
      return this.decide(request, await this.authenticator.find(brought));
    } catch (error) {
      return this.unavailable(request, error);
    }
  }

  private redeemable(ticket: string, request: FastifyRequest): Finding {
    const issued = this.tickets.find(ticket);
    if (!issued) return 'nobody';
    this.ofTickets.set(request, issued.brought);
    return issued.holder;
  }

  /** The 429 of who asks too often: a known caller wherever from, others by where they are. Replicas are not counted. */
  private excess(request: FastifyRequest, finding: Finding): Problem | undefined {
    if (!this.limit) return undefined;
    const known = finding instanceof Caller;
    if (known && request.routeOptions.config.need?.role === 'peer') return undefined;
    return this.tooEarly(this.limit.take(known ? finding.name : originOf(addressOf(request))));
  }

  private tooEarly(early = 0): Problem | undefined {
    if (early === 0) return undefined;
    const detail = 'more requests than RATE_LIMIT allows one caller';
    return new Problem(429, 'RATE_LIMITED', detail, {}, { 'Retry-After': String(Math.ceil(early / 1_000)) });
  }

  private decide(request: FastifyRequest, finding: Finding): Problem | undefined {
    if (finding === 'nobody') return ticketOf(request) === undefined ? this.unknown() : this.badTicket();
    const caller = finding === 'nothing' ? this.policy.anonymous : finding;
    const { need } = request.routeOptions.config;
    request.caller = caller;
    if (need && caller.mayTake(need, request.params as Record<string, string>)) return undefined;
    return finding === 'nothing' && this.authenticator.challenges.length > 0 ? this.unknown() : forbidden(caller);
  }

  private unknown(): Problem {
    return this.unauthenticated('UNAUTHENTICATED', 'who asks is not known: there is no credential that is good here');
  }

  private badTicket(): Problem {
    const detail = 'the ticket has been used, or is too old, or is not of this server';
    return this.unauthenticated('TICKET_NOT_VALID', detail);
  }

  private unauthenticated(code: string, detail: string): Problem {
    const { challenges } = this.authenticator;
    return new Problem(
      401,
      code,
      detail,
      {},
      challenges.length > 0 ? { 'WWW-Authenticate': challenges.join(', ') } : {},
    );
  }

  private unavailable({ id }: FastifyRequest, error: unknown): Problem {
    this.logger.error({ err: error, request_id: id }, 'who asks cannot be found out');
    const detail = 'who asks cannot be found out now; the log says why';
    return new Problem(503, 'AUTHENTICATION_UNAVAILABLE', detail, {}, { 'Retry-After': '1' });
  }
}

export function forbidden({ name }: Caller): Problem {
  return new Problem(403, 'FORBIDDEN', `${name} may not do this`);
}

/** Of a route that takes them: streams. */
function ticketOf({ routeOptions, query }: FastifyRequest): string | undefined {
  if (routeOptions.config.produces !== EVENT_STREAM) return undefined;
  const { ticket } = query as { ticket?: unknown };
  return typeof ticket === 'string' ? ticket : undefined;
}
