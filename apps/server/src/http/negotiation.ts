import Negotiator from 'negotiator';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

const WE_SPEAK = ['application/json', 'application/problem+json'];

/** @throws Problem 406 for a caller that takes neither JSON nor anything. */
export function mustTakeJson({ headers }: FastifyRequest): void {
  const { accept } = headers;
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return;
  if (new Negotiator({ headers }).mediaTypes(WE_SPEAK).length > 0) return;
  throw new Problem(406, 'NOT_ACCEPTABLE', 'answers here are application/json');
}
