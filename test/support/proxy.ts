import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server on loopback that can be taken from those who use it, and from nobody else. */
export class Proxy {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private frozen = false;

  private constructor(
    private readonly target: number,
    private listening: number,
  ) {}

  /** @param target A port on loopback. */
  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target, 0);
    await proxy.listen();
    return proxy;
  }

  get port(): number {
    return this.listening;
  }

  /** Connections break, and new ones are refused. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Connections stay, new ones are made, and nothing passes. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** Ends whatever is in the way. */
  async mend(): Promise<void> {
    this.frozen = false;
    for (const socket of this.sockets) socket.resume();
    if (!this.server) await this.listen();
  }

  close(): Promise<void> {
    return this.cut();
  }

  private async listen(): Promise<void> {
    const server = createServer((client) => this.join(client, connect({ host: '127.0.0.1', port: this.target })));
    server.listen(this.listening, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    this.listening = (server.address() as AddressInfo).port;
  }

  private join(...ends: [Socket, Socket]): void {
    for (const [from, to] of [ends, ends.toReversed() as typeof ends]) {
      this.sockets.add(from);
      from.on('data', (data) => void to.write(data));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.frozen) from.pause();
    }
  }
}
