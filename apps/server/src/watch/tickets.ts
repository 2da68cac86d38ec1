import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { BackendError, type Presented } from '#core';
import { holderOf, type Caller } from '../auth/caller.js';
import { Brought, kept } from '../auth/presented.js';
import { Problem } from '../http/problem.js';

export const TICKET_MS = 30_000;
/** That wait to be used. */
const MAX_TICKETS = 10_000;
/** Of these, one caller's: some hand them out to many pages. */
const MAX_PER_HOLDER = 1_000;

interface Ticket {
  readonly holder: Caller;
  /** Whose it counts as. */
  readonly countedFor: string;
  /** By which the holder is known. */
  readonly brought: Presented;
  readonly end: number;
}

/** Tickets for browsers, whose streams carry no headers: each is good for one stream of this process, for a while. */
export class Tickets {
  /** The oldest first. */
  private readonly issued = new Map<string, Ticket>();
  /** How many each caller has. */
  private readonly held = new Map<string, number>();

  /** @param now Milliseconds, monotonic. */
  constructor(
    private readonly trusts: (address: string | undefined) => boolean,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws Problem 429 for who has too many that wait to be used; BackendError `BUSY` when all together do. */
  issue(request: FastifyRequest): string {
    for (const [ticket, { end }] of this.issued) {
      if (end > this.now()) break;
      this.delete(ticket);
    }
    const countedFor = holderOf(request);
    const held = this.held.get(countedFor) ?? 0;
    if (held >= MAX_PER_HOLDER) {
      const detail = `one caller may have ${MAX_PER_HOLDER} tickets that wait to be used`;
      throw new Problem(429, 'TOO_MANY_TICKETS', detail, {}, { 'Retry-After': String(TICKET_MS / 1_000) });
    }
    if (this.issued.size >= MAX_TICKETS)
      throw new BackendError('BUSY', `${MAX_TICKETS} tickets wait to be used already`);
    const ticket = randomBytes(24).toString('base64url');
    const { caller: holder, raw } = request;
    const brought = kept(new Brought(raw, this.trusts));
    this.issued.set(ticket, { holder, countedFor, brought, end: this.now() + TICKET_MS });
    this.held.set(countedFor, held + 1);
    return ticket;
  }

  /** Uses it up. False when there is no such ticket any more. */
  redeem(ticket: string): boolean {
    const isGood = this.find(ticket) !== undefined;
    this.delete(ticket);
    return isGood;
  }

  /** Who has asked for it: its stream is that one's. Undefined when there is no such ticket any more. */
  find(ticket: string): Ticket | undefined {
    const issued = this.issued.get(ticket);
    return issued && issued.end > this.now() ? issued : undefined;
  }

  /** None is good any more: credentials have come to mean something else. */
  clear(): void {
    this.issued.clear();
    this.held.clear();
  }

  private delete(ticket: string): void {
    const issued = this.issued.get(ticket);
    if (!issued) return;
    this.issued.delete(ticket);
    const left = this.held.get(issued.countedFor)! - 1;
    if (left > 0) this.held.set(issued.countedFor, left);
    else this.held.delete(issued.countedFor);
  }
}
