import Negotiator from 'negotiator';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

const JSON_TYPES = ['application/json', 'application/problem+json'];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a success of this route is, where it is not JSON. */
    readonly produces?: string;
  }
}

/** The 406 for a caller that takes neither what this route answers nor anything; undefined for everybody else. */
export function refusalByType({ headers, routeOptions }: FastifyRequest): Problem | undefined {
  const { accept } = headers;
  if (!accept?.trim() || accept === '*/*' || accept === 'application/json') return undefined;
  const { produces } = routeOptions.config;
  const types = produces === undefined ? JSON_TYPES : [produces, ...JSON_TYPES];
  if (new Negotiator({ headers }).mediaTypes(types).length > 0) return undefined;
  return new Problem(406, 'NOT_ACCEPTABLE', `answers here are ${types[0]}`);
}
