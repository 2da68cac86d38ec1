import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import Consul from 'consul';

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly datacenter?: string;
  /** Absent: plain HTTP. */
  readonly tls?: TlsOptions;
}

export interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}

/** The consul package, on connections of its own, so many at most. */
export interface Connection {
  readonly consul: Consul;
  readonly agent: Agent;
}

export function connect(options: ConnectionOptions, connections: number): Connection {
  const { host, port, token, datacenter, tls } = options;
  const pool = { keepAlive: true, maxSockets: connections };
  const agent = tls ? new TlsAgent({ ...pool, ...tls }) : new Agent(pool);
  const defaults = { ...(token !== undefined && { token }), ...(datacenter !== undefined && { dc: datacenter }) };
  const consul = new Consul({ host, port, secure: tls !== undefined, agent, defaults });
  failCutResponses(consul);
  return { consul, agent };
}

interface Transport {
  request(options: unknown): ClientRequest;
}

/** What the package's own base class has besides its types. */
interface Extensible {
  _ext(event: 'onRequest', extension: (request: { transport: Transport }, next: () => void) => void): void;
}

/** The package waits for ever for the rest of a response whose connection is gone: here it is an error. */
function failCutResponses(consul: Consul): void {
  (consul as unknown as Extensible)._ext('onRequest', (request, next) => {
    const { transport } = request;
    request.transport = {
      request: (options) => {
        const outgoing = transport.request(options);
        outgoing.once('response', (incoming: IncomingMessage) =>
          incoming.once('error', (error) => outgoing.emit('error', error)),
        );
        return outgoing;
      },
    };
    next();
  });
}
