import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { BackendError, type Presented } from '#core';
import type { Caller } from '../auth/caller.js';
import { Brought, kept } from '../auth/presented.js';

export const TICKET_MS = 30_000;
/** That wait to be used. */
const MAX_TICKETS = 10_000;

interface Ticket {
  readonly holder: Caller;
  /** By which the holder is known. */
  readonly brought: Presented;
  readonly end: number;
}

/** Tickets for browsers, whose streams carry no headers: each is good for one stream of this process, for a while. */
export class Tickets {
  /** The oldest first. */
  private readonly issued = new Map<string, Ticket>();

  /** @param now Milliseconds, monotonic. */
  constructor(
    private readonly trusts: (address: string | undefined) => boolean,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws BackendError `BUSY` when too many wait to be used. */
  issue({ caller: holder, raw }: FastifyRequest): string {
    for (const [ticket, { end }] of this.issued) {
      if (end > this.now()) break;
      this.issued.delete(ticket);
    }
    if (this.issued.size >= MAX_TICKETS)
      throw new BackendError('BUSY', `${MAX_TICKETS} tickets wait to be used already`);
    const ticket = randomBytes(24).toString('base64url');
    const brought = kept(new Brought(raw, this.trusts));
    this.issued.set(ticket, { holder, brought, end: this.now() + TICKET_MS });
    return ticket;
  }

  /** Uses it up. False when there is no such ticket any more. */
  redeem(ticket: string): boolean {
    const isGood = this.find(ticket) !== undefined;
    this.issued.delete(ticket);
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
  }
}
