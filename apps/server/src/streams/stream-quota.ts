import type { FastifyRequest } from 'fastify';
import { holderOf } from '../auth/caller.js';
import { Problem } from '../http/problem.js';
import type { Channel } from './channel.js';

/** So many streams of each caller. */
export class StreamQuota {
  private readonly open = new Map<string, number>();

  constructor(private readonly max: number) {}

  /** @throws Problem 429 for who has as many already. */
  requireRoom(request: FastifyRequest): void {
    if ((this.open.get(holderOf(request)) ?? 0) < this.max) return;
    const detail = `one caller may have ${this.max} streams open (MAX_STREAMS_PER_CALLER)`;
    throw new Problem(429, 'TOO_MANY_STREAMS', detail, {}, { 'Retry-After': '1' });
  }

  /** Counts it until it is closed. */
  add(request: FastifyRequest, channel: Channel): void {
    const holder = holderOf(request);
    this.open.set(holder, (this.open.get(holder) ?? 0) + 1);
    channel.onClose(() => {
      const left = this.open.get(holder)! - 1;
      if (left > 0) this.open.set(holder, left);
      else this.open.delete(holder);
    });
  }
}
