import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpTally, RouteTally } from '../metrics/http-tally.js';
import { EVENT_STREAM } from '../streams/index.js';

/** Counts and times the requests of the routes to come: each finds its tally at hand, without a look at its labels. */
export function countRequests(fastify: FastifyInstance, tally: HttpTally): void {
  fastify.addHook('onRoute', (route) => {
    const tallies = new Map([route.method].flat().map((method) => [method, tally.route(method, route.url)]));
    const timed = route.config?.produces !== EVENT_STREAM;
    const count = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      record(tallies.get(request.method)!, request, reply, timed);
      done();
    };
    route.onResponse = [...[route.onResponse ?? []].flat(), count];
  });
  // A request without a route has the hooks alone that all have.
  fastify.addHook('onResponse', (request, reply, done) => {
    if (request.is404) record(tally.unrouted, request, reply, true);
    done();
  });
}

/** How long somebody wanted to wait for a change says nothing of us. */
function record(tally: RouteTally, { query }: FastifyRequest, reply: FastifyReply, timed: boolean): void {
  const waits = (query as { readonly index?: unknown } | undefined)?.index !== undefined;
  tally.record(reply.statusCode, timed && !waits ? reply.elapsedTime : undefined);
}
