import type { FastifyReply, FastifyRequest } from 'fastify';
import { matchesWeakly } from '../answers/etag.js';
import type { Documents } from './documents.js';

/** Answers with configuration, and says how fresh it is. */
export class ConfigAnswers {
  constructor(private readonly documents: Documents) {}

  send(request: FastifyRequest, reply: FastifyReply, etag: string, body: object): void {
    this.setFreshness(reply);
    reply.header('ETag', etag);
    if (matchesWeakly(request.headers['if-none-match'], etag)) void reply.code(304).send();
    else void reply.code(200).send(body);
  }

  setFreshness(reply: FastifyReply): void {
    const { source = 'none', ageMs } = this.documents.freshness();
    reply.headers({ 'X-Registry-Age': String(ageMs), 'X-Registry-Source': source });
  }
}
