import { randomBytes } from 'node:crypto';
import { BackendError } from '#core';

export const TICKET_MS = 30_000;
/** That wait to be used. */
const MAX_TICKETS = 10_000;

/** Tickets for browsers, whose streams carry no headers: each is good for one stream of this process, for a while. */
export class Tickets {
  /** By ticket, when it ends: the oldest first. */
  private readonly endings = new Map<string, number>();

  /** @param now Milliseconds, monotonic. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @throws BackendError `BUSY` when too many wait to be used. */
  issue(): string {
    for (const [ticket, end] of this.endings) {
      if (end > this.now()) break;
      this.endings.delete(ticket);
    }
    if (this.endings.size >= MAX_TICKETS)
      throw new BackendError('BUSY', `${MAX_TICKETS} tickets wait to be used already`);
    const ticket = randomBytes(24).toString('base64url');
    this.endings.set(ticket, this.now() + TICKET_MS);
    return ticket;
  }

  /** Uses it up. False when there is no such ticket any more. */
  redeem(ticket: string): boolean {
    const end = this.endings.get(ticket);
    this.endings.delete(ticket);
    return end !== undefined && end > this.now();
  }
}
