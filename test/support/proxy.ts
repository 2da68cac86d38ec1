import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to a server on loopback that can be taken from those who use it, and from nobody else. */
export class Proxy {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private frozen = false;
  private delayMs = 0;

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

  /** What passes from now on takes so long, each way. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Ends whatever is in the way. */
  async mend(): Promise<void> {
    this.frozen = false;
    this.delayMs = 0;
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
      // One after the other, whatever the delay of each.
      let passed = Promise.resolve();
      from.on('data', (data) => {
        const due = performance.now() + this.delayMs;
        passed = passed.then(() => at(due)).then(() => void to.write(data));
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        void passed.then(() => to.destroy());
      });
      if (this.frozen) from.pause();
    }
  }
}

async function at(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > 0) await sleep(left);
}
