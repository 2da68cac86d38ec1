import { OutcomeUnknownError, RefusedError, ServersUnavailableError } from './errors.js';
import type { ClientOptions } from './options.js';

const TIMEOUT_MS = 5_000;
/** An answer that is none of a server's own. */
const NO_PROBLEM = 'NO_PROBLEM';

export interface Sent {
  /** A text is JSON already, which goes as it stands. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The servers, of which one is asked until it does not answer; then the next. */
export class Transport {
  private readonly servers: readonly string[];
  private at: number;

  constructor(private readonly options: Pick<ClientOptions, 'servers' | 'headers' | 'timeoutMs'>) {
    this.servers = options.servers.map((url) => url.replace(/\/+$/, ''));
    if (this.servers.length === 0) throw new RangeError('servers: at least one is needed');
    // Many clients with one list do not all ask its first.
    this.at = Math.floor(Math.random() * this.servers.length);
  }

  get size(): number {
    return this.servers.length;
  }

  /**
   * For what can be asked twice, and for writes under a condition, which go to another server only where they cannot
   * have been done. @throws RefusedError, ServersUnavailableError, OutcomeUnknownError, or the signal's reason.
   */
  async ask(method: string, path: string, sent: Sent = {}): Promise<Response> {
    const causes: Error[] = [];
    for (let attempt = 0; attempt < this.size; attempt++) {
      const server = this.at;
      try {
        const response = await this.once(method, path, sent);
        if (response.ok || response.status === 304) return response;
        const refusal = await refusalOf(response);
        if (!isPassing(response.status)) throw refusal;
        causes.push(refusal);
      } catch (error) {
        sent.signal?.throwIfAborted();
        if (error instanceof RefusedError) throw error;
        causes.push(error as Error);
      }
      this.leave(server);
      const last = causes.at(-1)!;
      if (isConditional(method, sent) && mayBeDone(last)) throw new OutcomeUnknownError(last);
    }
    throw new ServersUnavailableError(causes);
  }

  /** One request to the server whose turn it is; its answer may be any. */
  async once(method: string, path: string, { body, headers, signal, timeoutMs }: Sent): Promise<Response> {
    const deadline = AbortSignal.timeout(timeoutMs ?? this.options.timeoutMs ?? TIMEOUT_MS);
    return this.open(method, path, { body, headers, signal: signal ? AbortSignal.any([signal, deadline]) : deadline });
  }

  /** Without a deadline: for streams, whose reader sees to that. */
  async open(method: string, path: string, { body, headers, signal }: Omit<Sent, 'timeoutMs'>): Promise<Response> {
    const url = `${this.servers[this.at]}${path}`;
    const own = await this.options.headers?.();
    try {
      return await fetch(url, {
        method,
        signal,
        headers: { ...own, ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** This one does not answer: the next has its turn, unless somebody has turned already. */
  leave(server = this.at): void {
    if (server === this.at) this.at = (this.at + 1) % this.size;
  }
}

/** Of this server at this moment; another one may do better. */
function isPassing(status: number): boolean {
  return status >= 500 || status === 429;
}

/** A second time it is refused because of the first. */
function isConditional(method: string, { headers = {} }: Sent): boolean {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return method !== 'GET' && (names.includes('if-match') || names.includes('if-none-match'));
}

/** No connection was made. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const TOO_MANY = 429;
const UNAVAILABLE = 503;

/** Unless it never left here, or a server says that it has not taken it on; what stands between says nothing. */
function mayBeDone(error: Error): boolean {
  if (!(error instanceof RefusedError)) return wasSent(error);
  const { status, code } = error;
  if (status === TOO_MANY) return false;
  return status !== UNAVAILABLE || code === 'OUTCOME_UNKNOWN' || code === NO_PROBLEM;
}

/** By what Node's fetch has met, if it came to that. */
function wasSent({ cause }: Error): boolean {
  const { code = '' } = (cause as { cause?: { code?: string } } | undefined)?.cause ?? {};
  return cause !== undefined && !UNSENT.has(code);
}

async function refusalOf(response: Response): Promise<RefusedError> {
  const text = await response.text();
  try {
    const { code, detail, errors } = JSON.parse(text) as Problem;
    return new RefusedError(response.status, code, detail, errors);
  } catch {
    return new RefusedError(response.status, NO_PROBLEM, `${response.url}: ${response.status} ${text.slice(0, 200)}`);
  }
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: RefusedError['errors'];
}

/** Node's fetch hides what it met. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
