import type { FastifyRequest } from 'fastify';
import type { Precondition } from '#configuration';
import { badRequest } from '../../http/problem.js';

const VERSION = /^"([1-9]\d{0,14})"$/;

/** What `If-Match` and `If-None-Match` of a write ask for. @throws Problem 400 for any other form than they have here. */
export function preconditionOf({ headers }: FastifyRequest): Precondition {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') throw malformed('If-None-Match', 'must be * on a write');
    if (match !== undefined) throw malformed('If-None-Match', 'contradicts If-Match');
    return { kind: 'absent' };
  }
  if (match === undefined) return { kind: 'none' };
  if (match === '*') return { kind: 'exists' };
  const version = VERSION.exec(match)?.[1];
  if (version === undefined) throw malformed('If-Match', 'must be one version in quotes, "7", or *');
  return { kind: 'version', version: Number(version) };
}

function malformed(path: string, message: string) {
  return badRequest('the request is not valid', [{ path, message }]);
}
