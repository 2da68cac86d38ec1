import { EventEmitter, setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { BackendError, Cancellations, jittered, pause, Places } from '#core';
import { connect, type Connection, type ConnectionOptions } from './connection.js';
import { answerIn, failureOf, isBroken, isThrottled } from './errors.js';
import type { Answer, CatalogNode, CheckEntry, HealthEntry, KvEntry, Operation, TransactionAnswer } from './types.js';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Answers as soon as there is something newer than this, or after a while. */
  readonly index?: number;
}

/** An agent takes 200 connections of one host, and there may be several of us on it. */
const WORKING_CONNECTIONS = 24;
const WAITING_CONNECTIONS = 8;
const DEADLINE_MS = 5_000;
/** How long a query waits for news. */
export const WAIT_MS = 10_000;
/** Consul adds up to a sixteenth to a wait. */
const WAITING_DEADLINE_MS = WAIT_MS * (1 + 1 / 16) + DEADLINE_MS;
const ATTEMPTS = 4;
const THROTTLED_MS = 100;

/** Of every call: what cancels it, and asks for the whole response, whose headers we need. */
interface CallOptions {
  readonly ctx: EventEmitter & { readonly includeResponse: true };
  readonly timeout: number;
}

interface Response<T> {
  readonly body: T;
  readonly headers: IncomingMessage['headers'];
}

/** Consul's HTTP API with deadlines, signals, indexes and our errors. */
export class ConsulClient {
  private readonly working: Connection;
  /** For what waits for changes, and for what must not wait behind others. */
  private readonly waiting: Connection;
  private readonly places = new Places(WORKING_CONNECTIONS);
  private readonly stopping = new AbortController();
  private readonly cancellations = new Cancellations();
  private highest = 0;

  constructor(options: ConnectionOptions) {
    this.working = connect(options, WORKING_CONNECTIONS);
    this.waiting = connect(options, WAITING_CONNECTIONS);
    setMaxListeners(0, this.stopping.signal);
  }

  /** The highest index that any answer has shown. Whatever is read after it was seen is as new as that. */
  get seen(): number {
    return this.highest;
  }

  /** Indexes begin anew. */
  forgetIndexes(): void {
    this.highest = 0;
  }

  /** Every call ends with UNAVAILABLE, and so does every later one. Idempotent. */
  stop(): void {
    this.stopping.abort();
    this.cancellations.cancelAll();
    for (const { agent } of [this.working, this.waiting]) agent.destroy();
  }

  /** Resolves when a leader answers that knows to be one still. */
  async ping(key: string, signal: AbortSignal): Promise<void> {
    const consistent = { consistent: true };
    await this.call('read', DEADLINE_MS, signal, (options) =>
      this.waiting.consul.kv.get({ key, ...consistent, ...options }),
    );
  }

  /** What lies under a prefix. */
  async entries(prefix: string, options: ReadOptions = {}): Promise<Answer<readonly KvEntry[]>> {
    return complete(
      await this.read<KvEntry[]>(options, [], ({ consul }, more) =>
        consul.kv.get({ key: prefix, recurse: true, ...more }),
      ),
    );
  }

  /** The folders and keys directly under a prefix. Its index is that of everything below. */
  async folders(prefix: string, options: ReadOptions = {}): Promise<Answer<readonly string[]>> {
    return complete(
      await this.read<string[]>(options, [], ({ consul }, more) =>
        consul.kv.keys({ key: prefix, separator: '/', ...more }),
      ),
    );
  }

  /** The names of services, with the tags of their instances. What the token may not see is left out. */
  services(filter: string, options: ReadOptions = {}): Promise<Answer<Readonly<Record<string, string[]>>>> {
    return this.read<Record<string, string[]>>(options, {}, ({ consul }, more) =>
      consul.catalog.service.list({ filter, ...more }),
    );
  }

  /** All checks. What the token may not see is left out. */
  checks(filter: string, options: ReadOptions = {}): Promise<Answer<readonly CheckEntry[]>> {
    return this.read<CheckEntry[]>(options, [], ({ consul }, more) =>
      consul.health.state({ state: 'any', filter, ...more }),
    );
  }

  /** The instances of a service with their checks. What the token may not see is left out. */
  health(service: string, signal?: AbortSignal): Promise<Answer<readonly HealthEntry[]>> {
    return this.read<HealthEntry[]>({ signal }, [], ({ consul }, more) => consul.health.service({ service, ...more }));
  }

  /** A node's services; null when there is no such node. */
  async node(node: string, signal?: AbortSignal): Promise<Answer<CatalogNode | null>> {
    return complete(
      await this.read<CatalogNode | null>({ signal }, null, ({ consul }, more) =>
        consul.catalog.node.services({ node, ...more }),
      ),
    );
  }

  /** What lies under each of these keys, at one moment; at index 0 where there is nothing. */
  async get(keys: readonly string[], signal?: AbortSignal): Promise<readonly KvEntry[]> {
    const operations = keys.map((Key): Operation => ({ KV: { Verb: 'get-or-empty', Key } }));
    const { body } = await this.patiently(() => this.send('read', operations, signal));
    const entries = (body.Results ?? []).flatMap(({ KV }) => KV ?? []);
    if (entries.length < keys.length) throw hidden();
    return entries.map((entry) => ({ ...entry, Value: entry.Value && Buffer.from(entry.Value, 'base64').toString() }));
  }

  /** Does all of the operations or none. */
  async transaction(operations: readonly Operation[], signal?: AbortSignal): Promise<TransactionAnswer> {
    const { body } = await this.patiently(() => this.send('write', operations, signal));
    for (const { KV } of body.Results ?? []) this.see(KV?.ModifyIndex);
    return body;
  }

  private async send(
    what: 'read' | 'write',
    operations: readonly Operation[],
    signal: AbortSignal | undefined,
  ): Promise<Pick<Response<TransactionAnswer>, 'body'>> {
    try {
      // The package sends operations as they are; its type for them is another.
      return await this.work(what, signal, (options) =>
        this.working.consul.transaction.create(operations as never, options as never),
      );
    } catch (error) {
      const refused = answerIn(error, 409);
      if (!refused) throw error;
      return { body: refused.body as TransactionAnswer };
    }
  }

  private async read<T>(
    { signal, index }: ReadOptions,
    nothing: T,
    request: (connection: Connection, options: CallOptions) => Promise<unknown>,
  ): Promise<Answer<T>> {
    const waits = index !== undefined;
    const wait = { index: String(index), wait: `${WAIT_MS}ms` };
    const { body, headers } = await this.patiently(() =>
      waits
        ? this.call<T | undefined>('read', WAITING_DEADLINE_MS, signal, (options) =>
            request(this.waiting, { ...wait, ...options }),
          )
        : this.work<T | undefined>('read', signal, (options) => request(this.working, options)),
    );
    const found = Number(headers['x-consul-index']);
    if (!(found > 0)) throw new BackendError('UNAVAILABLE', 'consul: an answer without an index');
    this.see(found);
    return {
      body: body ?? nothing,
      index: found,
      filtered: headers['x-consul-results-filtered-by-acls'] === 'true',
    };
  }

  /** Once more when the connection broke, and later when Consul asks for that; never what may have happened. */
  private async patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        const throttled = isThrottled(error);
        if (attempt === ATTEMPTS || !(throttled || (isBroken(error) && attempt === 1))) throw error;
        if (throttled) await pause(jittered(THROTTLED_MS * 2 ** attempt), this.stopping.signal);
      }
    }
  }

  /** A call of its own connection: the deadline is Consul's to meet, not that of a queue in front of it. */
  private async work<T>(
    what: 'read' | 'write',
    signal: AbortSignal | undefined,
    request: (options: CallOptions) => Promise<unknown>,
  ): Promise<Response<T>> {
    try {
      return await this.places.take(() => this.call<T>(what, DEADLINE_MS, signal, request), signal);
    } catch (error) {
      throw error instanceof BackendError ? error : failureOf(error, 'read');
    }
  }

  private async call<T>(
    what: 'read' | 'write',
    timeout: number,
    signal: AbortSignal | undefined,
    request: (options: CallOptions) => Promise<unknown>,
  ): Promise<Response<T>> {
    if (this.stopping.signal.aborted) throw new BackendError('UNAVAILABLE', 'the registry has stopped');
    if (signal?.aborted) throw failureOf(signal.reason, 'read');
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true as const });
    const forget = this.cancellations.add(signal, () => ctx.emit('cancel'));
    try {
      const answer = await request({ ctx, timeout });
      // The package resolves with an error that is none of this realm's, as in a test.
      if (!Array.isArray(answer)) throw answer;
      const [response, body] = answer as [IncomingMessage, T];
      return { body, headers: response.headers };
    } catch (error) {
      const missing = what === 'read' && answerIn(error, 404);
      if (missing) return { body: undefined as T, headers: missing.headers };
      throw failureOf(error, what);
    } finally {
      forget();
    }
  }

  private see(index: number | undefined): void {
    if (index !== undefined && index > this.highest) this.highest = index;
  }
}

/** What is ours must be seen whole: what the token hides is not gone. */
function complete<T>(answer: Answer<T>): Answer<T> {
  if (!answer.filtered) return answer;
  throw hidden();
}

function hidden(): BackendError {
  return new BackendError('UNAVAILABLE', 'consul: permission denied to read what is ours');
}
