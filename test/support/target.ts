import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Something on loopback to be probed; it answers with whatever status it is told. */
export class Target {
  status = 200;
  body = '';
  /** How often it was asked. */
  asked = 0;
  private readonly server = createServer((_request, response) => {
    this.asked++;
    response.writeHead(this.status, { 'content-type': 'application/json' }).end(this.body);
  });

  static async start(): Promise<Target> {
    const target = new Target();
    target.server.listen(0, '127.0.0.1');
    await once(target.server, 'listening');
    return target;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
