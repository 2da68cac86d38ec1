import * as http from 'node:http';
import * as https from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from '#core';
import type { Metrics } from '#telemetry';
import type { Certificates } from '../tls/certificates.js';

/** Serves `/metrics` on a port of its own, for whoever keeps scrapers and callers apart. */
export class MetricsServer {
  private readonly server: http.Server;

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
      this.metrics!.exposition().then(
        ({ contentType, body }) => response.writeHead(200, { 'Content-Type': contentType }).end(body),
        (error: unknown) => {
          this.logger.error({ err: error }, 'metrics could not be read');
          response.writeHead(500).end();
        },
      );
    };
    if (certificates) certificates.serve((this.server = https.createServer(answer)));
    else this.server = http.createServer(answer);
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

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
