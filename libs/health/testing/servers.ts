import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A server on a free port of the loopback interface that knows what is connected to it. */
export interface TestServer {
  readonly port: number;
  /** Connections so far. */
  readonly connections: () => number;
  /** Resolves when somebody has connected. */
  readonly reached: Promise<void>;
  /** Resolves when nobody is connected. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export function serveHttp(listener: RequestListener): Promise<TestServer> {
  return listening(createHttpServer(listener));
}

export function serveTcp(onSocket: (socket: Socket) => void = () => {}): Promise<TestServer> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    }),
  );
}

export async function listening(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let onIdle = () => {};
  let onReached = () => {};
  const reached = new Promise<void>((resolve) => (onReached = resolve));
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) onIdle();
    });
    // An end that nobody reads is an end that nobody sees.
    socket.resume();
    onReached();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    reached,
    idle: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => (onIdle = resolve))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await serveTcp();
  await server.close();
  return server.port;
}
