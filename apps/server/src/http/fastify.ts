import { isUtf8 } from 'node:buffer';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#core';
import { MAX_WAIT_MS, type Answers } from '../answers/answers.js';
import type { Gate } from '../auth/gate.js';
import type { HttpTally } from '../metrics/http-tally.js';
import type { Settings } from '../settings/index.js';
import { excess, excessIn, type BodyRules } from './body-size.js';
import { onConnection } from './connections.js';
import { lossIn } from './exact-json.js';
import { refusalByType } from './negotiation.js';
import { connectionLimit } from './open-files.js';
import { badRequest, Problem } from './problem.js';
import { sendProblem } from './problem.filter.js';
import { countRequests } from './request-counter.js';
import { enterContexts, REQUEST_ID, requestIdOf } from './request-id.js';
import { traceRequests } from './request-spans.js';
import { trustIn } from './trusted-proxies.js';
import { SECURITY_HEADERS } from './security-headers.js';
import { answerBrokenRequest, answerConnect, methodNotAllowed } from './routing-errors.js';

const BODY_LIMIT_BYTES = 4 * 1_024 * 1_024;
const HEADER_LIMIT_BYTES = 16_384;
/** More than clients and all proxies between send. Node would leave out what is beyond 2000 without a word. */
const MAX_HEADERS = 100;
/** An id of 255 characters takes up to twelve bytes each once it is percent-encoded. */
const PARAM_LIMIT = 4_096;
/** For a request to arrive in full: not for its answer, which a long poll may take minutes for. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for requests that have taken longer. */
const CHECK_CONNECTIONS_MS = 5_000;
/** Without a byte either way: longer than the longest poll, so that only those are cut who do not read. */
const SILENCE_MS = MAX_WAIT_MS + 60_000;
/** For a handshake of TLS. */
const HANDSHAKE_MS = 10_000;
/** Longer than the usual load balancer keeps a connection, so that it is the one to close it. */
const KEEP_ALIVE_MS = 75_000;
/** What every PATCH here takes (RFC 7396), by its own name or as JSON. */
const MERGE_PATCH = 'application/merge-patch+json';

/**
 * The HTTP server under Nest, with limits and with every error in one form. Where it is spoken inside TLS, somebody
 * else gives the server its certificate.
 */
export function createAdapter(logger: Logger, settings: Settings['server']): FastifyAdapter {
  const { tls, trustedProxies } = settings;
  // A request without Host is refused below, in our own form.
  const http = {
    maxHeaderSize: HEADER_LIMIT_BYTES,
    requireHostHeader: false,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
  };
  const adapter = new FastifyAdapter({
    logger: false,
    genReqId: requestIdOf,
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: PARAM_LIMIT },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...(tls ? { https: { ...http, ...handshakeOf(tls) } } : { http }),
    ...(trustedProxies.length > 0 && { trustProxy: trustIn(trustedProxies) }),
    // What is in flight on a kept connection is answered while we close, and the connection then ends.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(error, request, reply.header(REQUEST_ID, request.id).headers(SECURITY_HEADERS), logger),
    clientErrorHandler: answerBrokenRequest,
  });
  const fastify: FastifyInstance = adapter.getInstance();
  const { max, warning } = connectionLimit(settings);
  if (warning !== undefined) logger.warn({}, warning);
  fastify.server.maxConnections = max;
  // An expectation that we do not know may be passed over; Node would refuse it without a word.
  fastify.server.on('checkExpectation', (...exchange) => fastify.server.emit('request', ...exchange));
  fastify.server.on('connect', (_request, socket: Socket) => answerConnect(socket));
  // Every request that waits on a connection listens for its end, and a connection may carry many.
  onConnection(fastify.server, (socket) => socket.setMaxListeners(0));
  // JSON alone is taken: a body that we could not read must not pass for an empty one.
  fastify.removeContentTypeParser('text/plain');
  acceptEmptyJson(fastify);
  const wrongMethod = methodNotAllowed(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    // Nobody waits for an answer: what was read together with the end of its connection is not begun.
    if (request.raw.socket.destroyed) return;
    reply.header(REQUEST_ID, request.id).headers(SECURITY_HEADERS);
    done(refusalByHead(request) ?? (request.is404 ? wrongMethod(request.url) : undefined));
  });
  return adapter;
}

/** Who shows no certificate, or not a good one, is no less welcome: probes do not, and there are other credentials. */
function handshakeOf({ clientCa }: NonNullable<Settings['server']['tls']>) {
  return { handshakeTimeout: HANDSHAKE_MS, requestCert: clientCa !== undefined, rejectUnauthorized: false };
}

/** Of routes with a schema for Fastify itself we have none: the compilers for it would take 4 MB. */
function refuseSchema(): never {
  throw new Error('schemas are for the pipe that validates, not for Fastify');
}

/** A content type with nothing behind it is no body: clients send it with DELETE and with heartbeats. */
function acceptEmptyJson(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  const parseJson = (
    request: FastifyRequest,
    bytes: Buffer,
    done: (error: Error | null, body?: unknown) => void,
  ): void => {
    if (bytes.length === 0) done(null, undefined);
    else if (isEncoded(request)) done(new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', 'bodies take no Content-Encoding'));
    else if (!isUtf8(bytes)) done(malformedJson('it is not UTF-8'));
    else {
      const tooMuch = excessIn(bytes);
      if (tooMuch) {
        done(tooMuch);
        return;
      }
      const text = bytes.toString();
      const { exact = false } = request.routeOptions.config as BodyRules;
      void parse(request, text, (error, value) => {
        done(error ? malformedJson(error.message) : (excess(value, exact) ?? (exact ? inexact(text) : null)), value);
      });
    }
  };
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson);
  fastify.addContentTypeParser<Buffer>(MERGE_PATCH, { parseAs: 'buffer' }, (request, bytes, done) => {
    if (request.method === 'PATCH') parseJson(request, bytes, done);
    else done(new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', `${MERGE_PATCH} is for PATCH`));
  });
}

function inexact(text: string): Problem | null {
  const loss = lossIn(text);
  return loss ? badRequest('the request is not valid', [loss]) : null;
}

function malformedJson(why: string): Problem {
  return new Problem(400, 'MALFORMED_JSON', `the body is not JSON that we take: ${why}`);
}

/**
 * What runs before and after Nest's pipeline. Answers that are ready go out from here: behind the gate and
 * negotiation, like everything else.
 */
export function addHooks(
  fastify: FastifyInstance,
  gate: Gate,
  answers: Answers,
  { roots, tally, log, traced }: RequestRules,
): void {
  if (tally) countRequests(fastify, tally);
  if (traced) traceRequests(fastify);
  fastify.decorateRequest('caller');
  fastify.decorateRequest('span');
  fastify.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.need) throw new Error(`${String(method)} ${url} does not say what it needs`);
  });
  fastify.addHook('onRequest', (request, reply, done) => gate.admit(request, reply, done));
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = roots.some((root) => request.url.startsWith(root)) ? refusalByType(request) : undefined;
    if (refusal) done(refusal);
    else if (request.method !== 'GET' || !answers.sendKept(request, reply)) done();
  });
  enterContexts(fastify);
  if (!log) return;
  fastify.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply, log);
    done();
  });
}

/** Nothing is inflated here: what is small when it comes stays small. */
function isEncoded({ headers }: FastifyRequest): boolean {
  return (headers['content-encoding'] ?? 'identity') !== 'identity';
}

function refusalByHead({ headers, raw }: FastifyRequest): Problem | undefined {
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) {
    return new Problem(431, 'HEADERS_TOO_LARGE', `the request has more than ${MAX_HEADERS} headers`);
  }
  // HTTP/1.1 demands one (RFC 9112, section 3.2).
  if (headers.host !== undefined || raw.httpVersion === '1.0') return undefined;
  return new Problem(400, 'MALFORMED_REQUEST', 'the Host header is missing');
}

export interface RequestRules {
  /** Where APIs begin: answers to what is below them are negotiated. */
  readonly roots: readonly string[];
  /** Where requests are counted; absent: nowhere. */
  readonly tally?: HttpTally;
  /** A span for each request. */
  readonly traced: boolean;
  /** Where a line for each request goes; absent: nowhere. */
  readonly log?: Logger;
}

function logRequest({ id, span, method, url }: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const origin = { request_id: id, trace_id: span?.spanContext().traceId };
  log.info({ ...origin, method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request');
}
