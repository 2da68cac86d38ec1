import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { connectionEvent } from './connections.js';
import type { InFlight } from './in-flight.js';

/** A connection that its caller would have as another protocol: the answer to the request may still be an ordinary one. */
export interface Upgrade {
  readonly socket: Socket;
  /** What has been read of what follows the request. */
  readonly head: Buffer;
  /** Takes the connection from HTTP: from now on whoever asks is answerable for it. */
  take(): void;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Undefined for a request that asks for no WebSocket. */
export function upgradeOf({ raw }: FastifyRequest): Upgrade | undefined {
  return upgrades.get(raw);
}

/** Sends requests for a WebSocket the way of all others, with its checks and its errors, to the handler of their route. */
export function routeUpgrades(fastify: FastifyInstance, inFlight: InFlight): void {
  fastify.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    // Behind a request that has no answer yet, there is no place for one. No client does that.
    if (inFlight.isAnswering(socket)) {
      socket.destroy();
      return;
    }
    if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      declineUpgrade(fastify, request, socket, head);
      return;
    }
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    const end = () => socket.end();
    response.once('finish', end);
    const take = () => {
      response.removeListener('finish', end);
      response.detachSocket(socket);
    };
    upgrades.set(request, { socket, head, take });
    fastify.routing(request, response);
  });
}

/**
 * Some clients offer HTTP/2 with every request, whatever its method. Node takes the connection from HTTP for any
 * offer once somebody listens for it, so it is given back, as if nothing had been offered (RFC 9110, section 7.8).
 */
function declineUpgrade({ server }: FastifyInstance, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit(connectionEvent(server), socket);
}
