import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/** Which event brings a connection that HTTP is spoken on: with TLS, there is another one before it. */
export function connectionEvent(server: Server): 'connection' | 'secureConnection' {
  return server instanceof TlsServer ? 'secureConnection' : 'connection';
}

export function onConnection(server: Server, listener: (socket: Socket) => void): void {
  server.on(connectionEvent(server), listener);
}
