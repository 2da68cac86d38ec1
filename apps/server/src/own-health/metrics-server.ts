import * as http from 'node:http';
import * as https from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from '#core';
import type { Metrics } from '#telemetry';
import { InFlight } from '../http/in-flight.js';
import type { Certificates } from '../tls/certificates.js';

/** For a scrape to arrive; also for a handshake of TLS. */
const ARRIVAL_MS = 10_000;
/** How often Node looks for those that have taken longer. */
const CHECK_CONNECTIONS_MS = 5_000;
/** Without a byte either way: of who does not read. */
const SILENCE_MS = 30_000;
/** Many more than there are scrapers. */
const MAX_CONNECTIONS = 1_000;

const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: ARRIVAL_MS,
  requestTimeout: ARRIVAL_MS,
  handshakeTimeout: ARRIVAL_MS,
  connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
};

/** Serves `/metrics` on a port of its own, for whoever keeps scrapers and callers apart. */
export class MetricsServer {
  private readonly server: http.Server;
  /** What is being made, for all who ask meanwhile. */
  private making: Promise<{ readonly contentType: string; readonly body: Buffer }> | undefined;

  /**
   * @param metrics Undefined, or a port that is: it serves nothing.
   * @param certificates Undefined: it speaks plain HTTP.
   */
  constructor(
    private readonly metrics: Metrics | undefined,
    private readonly place: { readonly host: string; readonly port?: number },
    private readonly logger: Logger,
    certificates?: Certificates,
  ) {
    const answer: http.RequestListener = (request, response) => {
      const found =
        request.url?.split('?')[0] === '/metrics' && (request.method === 'GET' || request.method === 'HEAD');
      if (!found) {
        response.writeHead(404).end();
        return;
      }
      this.exposition().then(
        ({ contentType, body }) => response.writeHead(200, { 'Content-Type': contentType }).end(body),
        (error: unknown) => {
          this.logger.error({ err: error }, 'metrics could not be read');
          response.writeHead(500).end();
        },
      );
    };
    if (certificates) certificates.serve((this.server = https.createServer(LIMITS, answer)));
    else this.server = http.createServer(LIMITS, answer);
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.setTimeout(SILENCE_MS);
    new InFlight(this.server);
  }

  async start(): Promise<void> {
    const { host, port } = this.place;
    if (!this.metrics || port === undefined) return;
    this.server.listen({ host, port });
    await once(this.server, 'listening').catch((cause: unknown) => {
      throw new Error(`METRICS_PORT=${port}: ${(cause as Error).message}`, { cause });
    });
    this.logger.info({ port: this.port }, 'serving metrics');
  }

  /** Where it listens. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private exposition() {
    const make = async () => {
      const { contentType, body } = await this.metrics!.exposition();
      return { contentType, body: Buffer.from(body) };
    };
    return (this.making ??= make().finally(() => (this.making = undefined)));
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
