import type { ConnectionOptions } from 'node:tls';
import { Pool, type buildConnector, type Dispatcher } from 'undici';

export interface Problem {
  readonly success: false;
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly candidates?: readonly { readonly service_name: string; readonly service_id: string }[];
}

type Headers = Readonly<Record<string, string>>;

/** An answer, read to its end. */
export class Answer<Data = unknown> {
  constructor(
    readonly status: number,
    /** Names in lower case; a repeated one joined by commas. */
    readonly headers: Headers,
    readonly text: string,
  ) {}

  get type(): string {
    return (this.headers['content-type'] ?? '').split(';')[0]!;
  }

  get json(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.text) as Record<string, unknown>;
  }

  /** Of a success in the envelope; anything else throws with what came instead. */
  get data(): Data {
    if (this.status >= 300 || this.text === '') throw new Error(`no data but ${this.status} ${this.text}`);
    return this.json.data as Data;
  }

  get problem(): Problem {
    if (this.type !== 'application/problem+json') throw new Error(`no problem but ${this.status} ${this.text}`);
    return JSON.parse(this.text) as Problem;
  }

  get etag(): string {
    return this.headers.etag ?? '';
  }

  get revision(): string {
    return this.headers['x-registry-revision'] ?? '';
  }
}

/** What goes with a request beside method and path. A path goes out as it is written, `..` and all. */
export interface Sent {
  /** Strings and buffers go out as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Headers;
  readonly signal?: AbortSignal;
}

export type Method = Dispatcher.HttpMethod;

/** A client of one server, with connections that are kept. */
export class HttpClient {
  private readonly pool: Pool;

  /**
   * @param own Headers of every request.
   * @param tls How a server with https: is spoken to.
   */
  constructor(
    origin: string,
    private readonly own: Headers = {},
    tls: ConnectionOptions = {},
  ) {
    // Long polls in numbers: each holds a connection of its own.
    this.pool = new Pool(origin, { connections: 256, pipelining: 1, connect: tls as buildConnector.BuildOptions });
  }

  get<Data = unknown>(path: string, headers?: Headers): Promise<Answer<Data>> {
    return this.send('GET', path, { headers });
  }

  post<Data = unknown>(path: string, body?: unknown, headers?: Headers): Promise<Answer<Data>> {
    return this.send('POST', path, { body, headers });
  }

  put<Data = unknown>(path: string, body?: unknown, headers?: Headers): Promise<Answer<Data>> {
    return this.send('PUT', path, { body, headers });
  }

  patch<Data = unknown>(path: string, body?: unknown, headers?: Headers): Promise<Answer<Data>> {
    return this.send('PATCH', path, { body, headers });
  }

  delete<Data = unknown>(path: string, headers?: Headers): Promise<Answer<Data>> {
    return this.send('DELETE', path, { headers });
  }

  async send<Data = unknown>(method: Method, path: string, sent: Sent = {}): Promise<Answer<Data>> {
    const raw = typeof sent.body === 'string' || Buffer.isBuffer(sent.body);
    const body = sent.body === undefined ? null : raw ? sent.body : JSON.stringify(sent.body);
    const response = await this.pool.request({
      method,
      path,
      body,
      headers: { ...(body !== null && { 'content-type': 'application/json' }), ...this.own, ...sent.headers },
      signal: sent.signal,
    });
    const text = await response.body.text();
    const headers = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
    return new Answer<Data>(response.statusCode, Object.fromEntries(headers), text);
  }

  /** Cuts what is still under way. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
