import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';
import { Problem, notFound } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Remembers every route, to tell a wrong method (405, with what is allowed) from a wrong path (404). */
export function methodNotAllowed(fastify: FastifyInstance): (url: string) => Problem {
  const methods = new Map<string, Set<string>>();
  const paths = findMyWay({ maxParamLength: Number.MAX_SAFE_INTEGER, onBadUrl: () => undefined });
  fastify.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set<string>();
    for (const each of [method].flat()) known.add(each);
    if (methods.has(url)) return;
    methods.set(url, known);
    paths.on('GET', url, () => undefined, known);
  });
  return (url) => {
    const [path = '/'] = url.split('?');
    const allowed = paths.find('GET', path)?.store as Set<string> | undefined;
    if (!allowed) return notFound(`there is nothing at ${path}`, 'NO_SUCH_ROUTE');
    const list = [...allowed].sort().join(', ');
    return new Problem(405, 'METHOD_NOT_ALLOWED', `this resource takes ${list}`, {}, { Allow: list });
  };
}

/** A handshake that has failed, or taken too long. */
const OF_TLS = /^ERR_(SSL|TLS)_/;

/** Answers what is no HTTP, or too much of it, before there is a request: in the form of every other error. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // Whoever does not speak TLS where we do could not read what we would say.
  if (!socket.writable || OF_TLS.test(error.code ?? '') || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  endWith(socket, problemOfBrokenRequest(error.code));
}

/** CONNECT asks for a tunnel: Node would hang up without a word. */
export function answerConnect(socket: Socket): void {
  socket.on('error', () => undefined);
  endWith(socket, new Problem(405, 'METHOD_NOT_ALLOWED', 'this is no proxy'));
}

function endWith(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problem.body(''));
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.code}`,
    'Connection: close',
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function problemOfBrokenRequest(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem(431, 'HEADERS_TOO_LARGE', 'the request line and headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem(408, 'REQUEST_TIMEOUT', 'the request did not arrive in time');
  return new Problem(400, 'MALFORMED_REQUEST', 'this is not a well-formed HTTP request');
}
