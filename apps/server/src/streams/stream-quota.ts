import type { FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../auth/policy.js';
import { originOf } from '../auth/rate-limit.js';
import { Problem } from '../http/problem.js';
import { addressOf } from '../http/trusted-proxies.js';
import type { Channel } from './channel.js';

/** So many streams of each caller: a known one wherever it asks from, others by where they are. */
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

function holderOf(request: FastifyRequest): string {
  const { name } = request.caller;
  return name === ANONYMOUS ? originOf(addressOf(request)) : name;
}
