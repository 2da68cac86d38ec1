import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addressOf } from '../http/trusted-proxies.js';
import type { Audit, AuditEntry } from './audit.js';

const READS = ['GET', 'HEAD', 'OPTIONS'];
const SERVICE = ['name', 'service', 'service_name'] as const;
const INSTANCE = ['id', 'service_id', 'instance_id'] as const;

/** Tells the audit of every request that changes something, or was to. */
export function auditRequests(fastify: FastifyInstance, audit: Audit): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    if (isWorthIt(request, reply)) audit.record(entryOf(request, reply));
    done();
  });
}

/** What comes all the time and changes nothing, heartbeats say, is only when it is refused. */
function isWorthIt({ method, is404, routeOptions }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  if (is404 || READS.includes(method)) return false;
  return !routeOptions.config.need?.routine || [401, 403].includes(statusCode);
}

function entryOf(request: FastifyRequest, { statusCode: status }: FastifyReply): AuditEntry {
  const { method, routeOptions, id: requestId } = request;
  // Absent when it has not come to that.
  const { caller } = request as { readonly caller?: FastifyRequest['caller'] };
  const said = { ...textsIn(request.body), ...textsIn(request.query), ...textsIn(request.params) };
  const first = (names: readonly string[]) => names.map((name) => said[name]).find((text) => text !== undefined);
  return {
    at: Date.now(),
    actor: status === 401 || !caller ? 'unknown' : caller.name,
    address: addressOf(request),
    operation: `${method} ${routeOptions.url ?? ''}`,
    service: first(SERVICE),
    instance: first(INSTANCE),
    environment: said.environment,
    status,
    requestId,
  };
}

const LONGEST = 255;

/** Of what a caller has sent, and may be anything. */
function textsIn(sent: unknown): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (typeof sent !== 'object' || sent === null) return found;
  for (const name of [...SERVICE, ...INSTANCE, 'environment']) {
    const text = Object.hasOwn(sent, name) ? (sent as Record<string, unknown>)[name] : undefined;
    if (typeof text === 'string') found[name] = text.slice(0, LONGEST);
  }
  return found;
}
