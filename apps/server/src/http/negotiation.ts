import Negotiator from 'negotiator';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

const WE_SPEAK = ['application/json', 'application/problem+json'];

/** The 406 for a caller that takes neither JSON nor anything; undefined for everybody else. */
export function refusalOfJson({ headers }: FastifyRequest): Problem | undefined {
  const { accept } = headers;
  if (!accept?.trim() || accept === '*/*' || accept === 'application/json') return undefined;
  if (new Negotiator({ headers }).mediaTypes(WE_SPEAK).length > 0) return undefined;
  return new Problem(406, 'NOT_ACCEPTABLE', 'answers here are application/json');
}
