import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The requests that an HTTP server is at, so that it can be left in peace. */
export class InFlight {
  private readonly responses = new Set<ServerResponse>();
  private readonly sockets = new Set<Socket>();
  private leaving = false;

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    // Before whoever answers: a header comes too late afterwards.
    server.prependListener('request', (_request, response) => {
      if (this.leaving) endWithAnswer(response);
      this.responses.add(response);
      response.once('close', () => this.responses.delete(response));
    });
  }

  /** Every answer from now on ends its connection. */
  leave(): void {
    this.leaving = true;
    for (const response of this.responses) endWithAnswer(response);
  }

  /** Closes the connections on which nobody waits for an answer: for Node, a new one is not idle. */
  closeSilent(): void {
    const busy = new Set([...this.responses].map(({ socket }) => socket));
    for (const socket of this.sockets) if (!busy.has(socket)) socket.destroy();
  }
}

function endWithAnswer(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
