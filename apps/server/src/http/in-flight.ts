import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onConnection } from './connections.js';

/**
 * Requests of one connection that may wait for their answers, each behind the one before. In what Node reads at once
 * there is room for more than a thousand, and it would have all of their answers made, whoever reads none of them.
 */
const MAX_PIPELINED = 32;

/** The requests that an HTTP server is at, so that it can be left in peace. */
export class InFlight {
  /** By connection, and gone with it: an answer that waits behind another one never hears of the end. */
  private readonly open = new Map<Socket, Set<ServerResponse>>();
  /** Those whose next answer is their last. */
  private readonly ending = new WeakSet<Socket>();
  private leaving = false;

  constructor(server: Server) {
    onConnection(server, (socket) => {
      this.open.set(socket, new Set());
      socket.once('close', () => this.open.delete(socket));
    });
    // Before whoever answers: a header comes too late afterwards.
    server.prependListener('request', ({ socket }, response) => {
      if (this.leaving || this.ending.has(socket)) endWithAnswer(response);
      const answers = this.open.get(socket);
      if (answers && answers.size >= MAX_PIPELINED) socket.destroy();
      answers?.add(response);
      response.once('close', () => answers?.delete(response));
    });
  }

  /** Somebody waits for an answer on this connection. */
  isAnswering(socket: Socket): boolean {
    return (this.open.get(socket)?.size ?? 0) > 0;
  }

  /** Every answer from now on ends its connection. */
  leave(): void {
    this.leaving = true;
    this.renew();
  }

  /** Each connection that is open now ends with its next answer: what it has begun with counts no more. */
  renew(): void {
    for (const [socket, answers] of this.open) {
      this.ending.add(socket);
      for (const response of answers) endWithAnswer(response);
    }
  }

  /** Closes the connections on which nobody waits for an answer: for Node, a new one is not idle. */
  closeSilent(): void {
    for (const socket of this.open.keys()) if (!this.isAnswering(socket)) socket.destroy();
  }
}

function endWithAnswer(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
