import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server that understands enough of HTTP to be in the way of single requests. */
export class Way {
  /** Answers that broke. */
  cuts = 0;
  /** Requests that were kept. */
  held = 0;
  private cutting = false;
  private path: string | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    target: number,
  ) {
    server.on('connection', (client) => this.join(client, connect(target, '127.0.0.1')));
  }

  static async to(target: number): Promise<Way> {
    const server = createServer();
    const way = new Way(server, target);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return way;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The next answer breaks off in its middle. */
  cutNext(): void {
    this.cutting = true;
  }

  /** Requests whose path begins so do not arrive from now on. */
  hold(path: string): void {
    this.path = path;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await once(this.server.close(), 'close');
  }

  private join(client: Socket, behind: Socket): void {
    for (const [from, to] of [[client, behind] as const, [behind, client] as const]) {
      this.sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
    client.on('data', (data) => {
      const [, path] = data.toString('latin1').split(' ', 2);
      if (this.path !== undefined && path?.startsWith(this.path)) this.held++;
      else behind.write(data);
    });
    behind.on('data', (data) => {
      const headers = data.indexOf('\r\n\r\n');
      if (!this.cutting || headers < 0) {
        client.write(data);
        return;
      }
      this.cutting = false;
      this.cuts++;
      // The headers, and a byte of what they announce.
      client.end(data.subarray(0, headers + 5));
    });
  }
}
