import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConfigEntry } from '#core';
import { matchesWeakly } from '../answers/etag.js';
import type { Documents } from './documents.js';

/** Versions only grow: one says what is in it. */
export function etagOfVersion({ version }: ConfigEntry): string {
  return `"${version}"`;
}

/** Answers with configuration, and says how fresh it is. */
export class ConfigAnswers {
  constructor(private readonly documents: Documents) {}

  send(request: FastifyRequest, reply: FastifyReply, etag: string, body: object): void {
    this.setFreshness(reply);
    reply.header('ETag', etag);
    if (matchesWeakly(request.headers['if-none-match'], etag)) void reply.code(304).send();
    else void reply.code(200).send(body);
  }

  setWritten(reply: FastifyReply, entry: ConfigEntry): void {
    this.setFreshness(reply);
    reply.header('ETag', etagOfVersion(entry));
  }

  setFreshness(reply: FastifyReply): void {
    const { source = 'none', ageMs } = this.documents.freshness();
    reply.headers({ 'X-Registry-Age': String(ageMs), 'X-Registry-Source': source });
  }
}
