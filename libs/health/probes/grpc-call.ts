import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { authorityOf, type AddressGuard } from '#core';
import { checkLiteral, type Endpoint } from './endpoint.js';

const MAX_ANSWER_BYTES = 4_096;
const OK = '0';

type AnswerHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

export interface GrpcCall extends Endpoint {
  readonly tls: boolean;
  /** `/package.Service/Method` */
  readonly path: string;
  /** One message in its frame. */
  readonly frame: Buffer;
}

/**
 * One unary gRPC call on a connection of its own; resolves to the frame of the answer.
 *
 * On HTTP/2 itself, not on @grpc/grpc-js: that (1.14) resolves names by itself, and closing it leaves
 * open what is still connecting or shaking hands, for minutes where a host is dead.
 */
export async function callGrpc(call: GrpcCall, guard: AddressGuard, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  checkLiteral(guard, call.host);
  const socket = open(call, guard);
  // Whatever it has to say after the end interests nobody.
  socket.on('error', () => {});
  const session = connectHttp2(`${call.tls ? 'https' : 'http'}://${authorityOf(call.host, call.port)}`, {
    createConnection: () => socket,
    settings: { enablePush: false },
  });
  try {
    return await exchange(session, call, signal);
  } finally {
    session.destroy();
    socket.destroy();
  }
}

function open({ host, port, tls }: GrpcCall, { lookup }: AddressGuard): Socket {
  if (!tls) return connectTcp({ host, port, lookup });
  // Certificates for an address are checked without a server name (RFC 6066).
  return connectTls({ host, port, lookup, ALPNProtocols: ['h2'], ...(isIP(host) === 0 && { servername: host }) });
}

function exchange(session: ClientHttp2Session, call: GrpcCall, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let headers: AnswerHeaders = {};
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    session.on('error', reject);
    session.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      reject(new Error('the connection was closed without an answer'));
    });
    const stream = session.request(requestHeaders(call.path));
    stream.on('error', reject);
    const take = (received: AnswerHeaders) => (headers = { ...headers, ...received });
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_ANSWER_BYTES) reject(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
    });
    stream.on('end', () => {
      const complaint = complaintOf(headers);
      if (complaint === undefined) resolve(Buffer.concat(chunks));
      else reject(new Error(complaint));
    });
    stream.end(call.frame);
  });
}

function requestHeaders(path: string): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'service-discovery-health',
  };
}

/** @param headers Those of the beginning and of the end, which may be the same. */
function complaintOf(headers: AnswerHeaders): string | undefined {
  const status = headers['grpc-status'];
  const http = headers[':status'];
  if (status === OK && http === 200) return undefined;
  if (status === undefined || status === OK) return `no gRPC answer: HTTP ${String(http)}`;
  return `gRPC status ${String(status)}: ${unescaped(String(headers['grpc-message'] ?? ''))}`;
}

/** gRPC writes messages in percent-encoding. */
function unescaped(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
