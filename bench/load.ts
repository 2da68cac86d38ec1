import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from './statistics.js';

// A load generator that costs less than what it measures: the usual ones parse every answer, and send
// what a rate allows in one burst a second.

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly ms: number;
  /** Requests a second, evenly; absent: each connection asks again when it is answered. */
  readonly rate?: number;
  readonly request: (n: number) => Request;
  /** The first n. */
  readonly from: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds. At a rate, counted from when a request was due. */
  readonly p50: number;
  readonly p99: number;
  /** Where the next run may begin. */
  readonly next: number;
}

const PACE_MS = 1;

/** Puts a server under load for a time. Rejects at the first answer that is no success. */
export async function load({ url, connections, ms, rate, request, from }: LoadOptions): Promise<LoadResult> {
  const { hostname, port, host } = new URL(url);
  const all = await Promise.all(
    Array.from({ length: connections }, async () => new Connection(await opened(hostname, Number(port)))),
  );
  const latencies: number[] = [];
  const idle: Connection[] = [];
  /** When the requests were to go for which no connection was free. */
  const due: number[] = [];
  let n = from;
  const serve = (connection: Connection) => {
    const at = rate === undefined ? performance.now() : due.shift();
    if (at === undefined) {
      idle.push(connection);
      return;
    }
    connection.send(encode(request(n++), host), () => {
      latencies.push(performance.now() - at);
      serve(connection);
    });
  };
  const begun = performance.now();
  const pace =
    rate === undefined ? undefined : pacer(rate, begun, due, () => idle.splice(0, due.length).forEach(serve));
  for (const each of all) serve(each);
  try {
    await Promise.race([sleep(ms), ...all.map(({ broken }) => broken)]);
  } finally {
    clearInterval(pace);
    for (const each of all) each.close();
  }
  const seconds = (performance.now() - begun) / 1_000;
  const requests = latencies.length;
  return { requests, seconds, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), next: n };
}

/** Says evenly when requests are due. */
function pacer(rate: number, begun: number, due: number[], serve: () => void): NodeJS.Timeout {
  let asked = 0;
  return setInterval(() => {
    const wanted = ((performance.now() - begun) * rate) / 1_000;
    for (; asked < wanted; asked++) due.push(begun + (asked * 1_000) / rate);
    serve();
  }, PACE_MS);
}

async function opened(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function encode({ method, path, headers = {}, body }: Request, host: string): string {
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join('')}`;
  if (body === undefined) return `${head}\r\n`;
  const text = JSON.stringify(body);
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** One request at a time on a kept connection. */
class Connection {
  /** Rejects when the connection ends, or brings what is no success. */
  readonly broken: Promise<never>;
  private answered: () => void = () => undefined;
  private head = '';
  private missing = 0;

  constructor(private readonly socket: Socket) {
    this.broken = new Promise((_, reject) => {
      socket.on('error', reject).on('close', () => reject(new Error('the server has closed a connection')));
      socket.on('data', (chunk) => {
        const refusal = this.read(chunk);
        if (refusal !== undefined) reject(new Error(refusal));
      });
    });
  }

  send(request: string, answered: () => void): void {
    this.answered = answered;
    this.socket.write(request);
  }

  close(): void {
    this.socket.removeAllListeners('data').destroy();
  }

  /** What is wrong with the answer, if anything. */
  private read(chunk: Buffer): string | undefined {
    if (this.missing > 0) {
      this.missing -= chunk.length;
    } else {
      this.head += chunk.toString('latin1');
      const end = this.head.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      if (this.head.charAt('HTTP/1.1 '.length) !== '2') return this.head;
      this.missing = lengthIn(this.head.slice(0, end)) - (this.head.length - end - 4);
      this.head = '';
    }
    if (this.missing <= 0) this.answered();
    return undefined;
  }
}

function lengthIn(head: string): number {
  return Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
}
