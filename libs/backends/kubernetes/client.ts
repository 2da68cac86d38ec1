import { setMaxListeners } from 'node:events';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { abortable, asBackendError, BackendError, jittered, pause } from '#core';
import type { Access } from './access.js';
import { ApiError, hasStatus, refusal } from './errors.js';
import type { KubernetesObject } from './objects.js';

/** From when a request has a connection until its answer is complete. */
const DEADLINE_MS = 3_000;
const LIST_DEADLINE_MS = 20_000;
const PAGE = 500;
/** By more at once an API server gets no faster: each waits longer, and the time runs. */
const CONNECTIONS = 12;
/** The API server closes idle connections too, and a request must not meet that. */
const IDLE_MS = 20_000;
/** Waiting for a connection. */
const MAX_WAITING = 10_000;
/** How long we wait when we are told to come back later. */
const MOST_RETRY_MS = 1_000;
const TRIES = 4;
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

/** Of metadata alone null stands for none. */
type Page<T> = Pick<List<T>, 'metadata'> & { readonly items: readonly T[] | null };

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
  /** Otherwise JSON. */
  readonly accept?: string;
}

/**
 * Requests to the API server; they reject with BackendErrors, an ApiError where it has answered. None is
 * repeated that may have been done. A plain https client: a watch of the client library leaves out what it
 * cannot parse, and its requests open a connection each.
 */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, timeout: IDLE_MS });
  /** A connection each. */
  private readonly watchAgent = new Agent();
  private readonly closing = new AbortController();
  private waiting = 0;
  private heard = -Infinity;

  constructor(private readonly access: Access) {
    // Every request that is under way listens to it.
    setMaxListeners(0, this.closing.signal);
  }

  /** When it last answered anything; on the monotonic clock. */
  get lastHeard(): number {
    return this.heard;
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.call<T>({ method: 'GET', path, signal });
  }

  create<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.call<T>({ method: 'POST', path, body, signal });
  }

  /** On the condition that it still is at the `resourceVersion` in the body. */
  replace<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.call<T>({ method: 'PUT', path, body, signal });
  }

  /** Merges what is given into it, whatever its state (RFC 7396). */
  patch<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.call<T>({ method: 'PATCH', path, body, signal });
  }

  /** On the condition that it is this very state of it. */
  async remove(path: string, { metadata }: KubernetesObject, signal?: AbortSignal): Promise<void> {
    const { uid, resourceVersion } = metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    await this.call({ method: 'DELETE', path, body, signal });
  }

  /** Resolves when it answers a read that goes down to its store. */
  async probe(path: string, signal?: AbortSignal): Promise<void> {
    await this.call({ method: 'GET', path, query: { limit: 1 }, signal });
  }

  /** All there is, as of the list's `resourceVersion`. */
  list<T>(path: string, query: Query, signal?: AbortSignal, deadlineMs = LIST_DEADLINE_MS): Promise<List<T>> {
    return this.pages<T>({ method: 'GET', path, query, signal, deadlineMs });
  }

  /** The same without what is in it. */
  listMetadata(path: string, query: Query, signal?: AbortSignal): Promise<List<KubernetesObject>> {
    return this.pages({ method: 'GET', path, query, signal, accept: METADATA, deadlineMs: DEADLINE_MS });
  }

  private async pages<T>(call: Call): Promise<List<T>> {
    const items: T[] = [];
    for (let after: string | undefined; ;) {
      const query = { ...call.query, limit: PAGE, continue: after };
      const page = await this.call<Page<T>>({ ...call, query });
      for (const item of page.items ?? []) items.push(item);
      after = page.metadata.continue;
      if (!after) return { metadata: page.metadata, items };
    }
  }

  /**
   * What happens from a version on: arrays, the first of them empty as soon as the watch stands. Ends when the
   * API server ends it in order; everything else throws. `idleMs` is the longest silence.
   */
  async *watch<T>(
    path: string,
    query: Query,
    idleMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly WatchEvent<T>[], void> {
    const call: Call = { method: 'GET', path, query: { ...query, watch: true }, signal };
    const { request, response: answered } = await this.open(call, this.watchAgent);
    request.setTimeout(idleMs, () => request.destroy(new Error(`the watch was silent for ${idleMs} ms`)));
    const abort = () => request.destroy(asBackendError(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const response = await answered;
      if (response.statusCode !== 200) throw await this.refused(call, response);
      yield [];
      let rest = '';
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
        this.heard = performance.now();
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        yield lines.map((line) => eventIn<T>(line, call));
      }
    } catch (error) {
      throw this.inWords(error, call, false);
    } finally {
      signal.removeEventListener('abort', abort);
      request.destroy();
    }
  }

  /** Idempotent. */
  close(): void {
    this.closing.abort(new BackendError('UNAVAILABLE', 'the registry has stopped'));
    this.agent.destroy();
    this.watchAgent.destroy();
  }

  /** Comes back when it is told to; shows anew who it is when that is not taken any more. */
  private async call<T>(call: Call): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return (await this.exchange(call)) as T;
      } catch (error) {
        const again = hasStatus(error, 429) || (tries === 1 && hasStatus(error, 401));
        if (!again || tries === TRIES) throw error;
        if (hasStatus(error, 401)) this.renewAccess();
        else await pause(waitFor(error as ApiError), call.signal ?? this.closing.signal);
      }
    }
  }

  private renewAccess(): void {
    try {
      this.access.renew();
    } catch (error) {
      throw asBackendError(error);
    }
  }

  private async exchange(call: Call): Promise<unknown> {
    const { signal, deadlineMs = DEADLINE_MS } = call;
    for (const each of [signal, this.closing.signal]) if (each?.aborted) throw asBackendError(each.reason);
    if (this.waiting >= MAX_WAITING) throw new BackendError('BUSY', 'Kubernetes does not keep up');
    this.waiting++;
    let sent = false;
    let timer: NodeJS.Timeout | undefined;
    let request: ClientRequest | undefined;
    try {
      const opened = await this.open(call, this.agent, (socket) => {
        timer = setTimeout(() => request?.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
        if (socket.connecting) socket.once('secureConnect', () => (sent = true));
        else sent = true;
      });
      ({ request } = opened);
      const answer = opened.response.then(async (incoming) => {
        if (incoming.statusCode! >= 300) throw await this.refused(call, incoming);
        return JSON.parse(await text(incoming)) as unknown;
      });
      return await abortable(abortable(answer, signal), this.closing.signal);
    } catch (error) {
      request?.destroy();
      throw this.inWords(error, call, sent);
    } finally {
      clearTimeout(timer);
      this.waiting--;
    }
  }

  private async open(
    { method, path, query, body, accept = 'application/json' }: Call,
    agent: Agent,
    onSocket?: (socket: Socket) => void,
  ): Promise<{ request: ClientRequest; response: Promise<IncomingMessage> }> {
    const url = new URL(this.access.server);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const options = await this.access.options();
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(options.headers as OutgoingHttpHeaders),
      accept,
      'user-agent': 'service-discovery',
      ...(content !== undefined && {
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        'content-length': Buffer.byteLength(content),
      }),
    };
    const request = httpsRequest(url, { agent, ...options, method, headers });
    if (onSocket) request.once('socket', onSocket);
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('error', reject);
      request.once('response', (incoming) => {
        this.heard = performance.now();
        resolve(incoming);
      });
    });
    // Who has given up does not listen any more.
    response.catch(() => undefined);
    request.end(content);
    return { request, response };
  }

  private async refused(call: Call, response: IncomingMessage): Promise<ApiError> {
    const { statusCode, headers } = response;
    return refusal(statusCode!, await text(response), asked(call), isWrite(call), headers['retry-after']);
  }

  private inWords(error: unknown, call: Call, sent: boolean): BackendError {
    if (error instanceof ApiError) return error;
    if (error instanceof BackendError && !(sent && isWrite(call))) return error;
    const code = sent && isWrite(call) ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE';
    const { message, code: reason } = error as Error & { code?: string };
    const said = message || reason || String(error);
    return new BackendError(code, `Kubernetes at ${this.access.server.host}: ${said}`, { cause: error });
  }
}

function waitFor({ retryAfterMs = 100 }: ApiError): number {
  return jittered(Math.min(retryAfterMs, MOST_RETRY_MS));
}

function isWrite({ method }: Call): boolean {
  return method !== 'GET';
}

function asked({ method, path, query }: Call): string {
  return `${query?.watch ? 'WATCH' : method} ${path}`;
}

function eventIn<T>(line: string, call: Call): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: { code?: number } };
  if (event.type !== 'ERROR') return event as unknown as WatchEvent<T>;
  throw refusal(event.object.code ?? 500, JSON.stringify(event.object), asked(call), false);
}
