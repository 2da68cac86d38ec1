import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { isNativeError } from 'node:util/types';
import { Cluster, Redis, ReplyError, type RedisOptions } from 'ioredis';
import { abortable, asBackendError, BackendError, jittered, type Logger } from '#core';
import { TLS_FAILURE } from '../shared/tls.js';
import { describeAddress, type Address } from './address.js';
import type { Script } from './scripts.js';

const CONNECT_MS = 3_000;
const START_MS = 5_000;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MOST_MS = 1_000;
/** How long the other side may take to close. */
const CLOSE_MS = 500;
/** With more than this unanswered we send no more; in each may be a batch. */
const MAX_IN_FLIGHT = 1_000;

/** What Redis says before it has done anything. */
const REFUSAL =
  /^(NOSCRIPT|LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|OOM|MISCONF|NOREPLICAS|NOAUTH|NOPERM) /;
/** What waiting does not mend, as little as what is wrong with certificates: credentials, other data under our keys. */
const REFUSED = /\b(WRONGPASS|NOAUTH|NOPERM|WRONGTYPE)\b/;
/** Nor a URL of another thing: a database that there is not, a node of a cluster, a sentinel, another master's sentinel. */
const MISTAKEN = /\b(MOVED|ERR (DB index|SELECT|unknown command|No such master|This instance has cluster))\b/;

/** What ioredis makes of commands whose connection broke, by name. */
const BROKEN = new Set(['MaxRetriesPerRequestError', 'AbortError']);

export interface ConnectionOptions {
  readonly address: Address;
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
  readonly sentinelPassword?: string;
}

type Client = Redis | Cluster;

/**
 * A connection that mends itself; one that does not answer in time is given up for another. What cannot be
 * sent now is refused at once, and nothing is ever sent twice: whoever asks knows best whether to ask again.
 */
export class Connection {
  private readonly client: Client;
  private readonly name: string;
  private readonly complaints = new Set<string>();
  private starting = true;
  private inFlight = 0;
  private closing: Promise<void> | undefined;

  /** @param deadlineMs Of every command; Redis may do later what it has not answered by then. */
  constructor(
    options: ConnectionOptions,
    deadlineMs: number,
    private readonly logger: Logger,
  ) {
    this.name = describeAddress(options.address);
    this.client = createClient(options, deadlineMs);
    for (const event of ['error', 'node error', 'sentinelError']) {
      this.client.on(event, (error: unknown) => this.complain(error));
    }
    this.client.on('ready', () => this.complaints.clear());
  }

  /** Resolves when commands are taken, rejects with what is in the way at first. Either way it goes on trying. */
  async connect(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      this.client.once('error', reject);
      this.client.connect().then(resolve, reject);
    });
    try {
      // A cluster that is not whole is waited for in silence.
      await abortable(connected, AbortSignal.timeout(START_MS));
    } catch (error) {
      throw isHopeless(error) ? this.inWords(error, 'UNAVAILABLE') : this.notConnected();
    } finally {
      this.starting = false;
    }
  }

  /** A command that changes nothing. */
  read<T>(command: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.send(command, 'UNAVAILABLE', signal);
  }

  /** @returns What the script returns; null for false and nil. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    const given = [keys.length, ...keys, ...args] as const;
    const lost = script.writes ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE';
    const command = async (client: Client): Promise<unknown> => {
      try {
        return await client.evalsha(script.sha, ...given);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return client.eval(script.source, ...given);
      }
    };
    return this.send(command, lost, signal);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    // Between two attempts there is nothing to wait for.
    const open = ['connecting', 'connect', 'ready'].includes(this.client.status);
    const ended = new Promise((resolve) => this.client.once('end', resolve));
    // A socket that is closed in its TLS handshake may fail twice; ioredis listens once.
    const connections = this.client instanceof Cluster ? this.client.nodes() : [this.client];
    for (const { stream } of connections) (stream as Socket | undefined)?.on('error', () => undefined);
    this.client.disconnect();
    if (open) await ended;
  }

  private async send<T>(
    command: (client: Client) => Promise<T>,
    lost: 'UNAVAILABLE' | 'OUTCOME_UNKNOWN',
    signal: AbortSignal | undefined,
  ): Promise<T> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    if (this.client.status !== 'ready') throw this.notConnected();
    if (this.inFlight >= MAX_IN_FLIGHT) throw new BackendError('BUSY', `${this.name} does not keep up`);
    this.inFlight++;
    const answer = command(this.client).finally(() => this.inFlight--);
    try {
      return await abortable(answer, signal);
    } catch (error) {
      // What comes after it is not answered either.
      if (messageOf(error) === 'Command timed out') this.client.disconnect(true);
      throw this.inWords(error === signal?.reason ? new Error('no answer in time') : error, lost);
    }
  }

  private notConnected(): BackendError {
    const reason = [...this.complaints].at(-1) ?? 'connecting';
    return new BackendError('UNAVAILABLE', `no connection to ${this.name}: ${reason}`);
  }

  private inWords(error: unknown, lost: 'UNAVAILABLE' | 'OUTCOME_UNKNOWN'): BackendError {
    const message = messageOf(error);
    const refused = error instanceof ReplyError && REFUSAL.test(message);
    return new BackendError(refused ? 'UNAVAILABLE' : lost, `${this.name}: ${message}`, { cause: error });
  }

  /** Once for each of what is in the way, until it is connected again. */
  private complain(error: unknown): void {
    const message = messageOf(error);
    if (this.complaints.has(message)) return;
    this.complaints.add(message);
    // It ends the start, and is told there.
    if (this.starting && isHopeless(error)) return;
    this.logger.warn({ reason: message }, `${this.name} cannot be reached`);
  }
}

/** Whether an operator has to do something about it. */
export function isHopeless(error: unknown): boolean {
  const message = messageOf(error);
  return [REFUSED, TLS_FAILURE, MISTAKEN].some((hopeless) => hopeless.test(message));
}

/** Also of errors that carry the one that matters: of a cluster's last node, of the last of several addresses tried. */
function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  if (BROKEN.has(error.name) || error.message === 'Connection is closed.') return 'the connection broke';
  const { lastNodeError, errors, code } = error as Error & { lastNodeError?: Error; errors?: Error[]; code?: string };
  const inner = lastNodeError ?? (error.message === '' ? errors?.at(-1) : undefined);
  if (inner) return messageOf(inner);
  // The delay is another one each time.
  const message = error.message.trim().replace(/ Retrying from scratch after [\d.]+ms\./, '');
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

function createClient({ address, tls, sentinelPassword }: ConnectionOptions, deadlineMs: number): Client {
  const { kind, nodes, credentials, database: db, master: name } = address;
  const shared = {
    username: credentials?.user,
    password: credentials?.password,
    ...(address.tls && { tls }),
    connectionName: 'service-discovery',
    disableClientInfo: true,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: CLOSE_MS,
    commandTimeout: deadlineMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // It was the master before: whoever is now is found by connecting anew.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  const own = { lazyConnect: true, enableOfflineQueue: false } as const;
  if (kind === 'cluster') {
    return new Cluster([...nodes], {
      ...own,
      redisOptions: shared,
      retryDelayOnFailover: 0,
      slotsRefreshTimeout: CONNECT_MS,
      clusterRetryStrategy: reconnectAfter,
    });
  }
  const single = { ...own, ...shared, db, retryStrategy: reconnectAfter };
  if (kind === 'single') return new Redis({ ...single, ...nodes[0]! });
  return new Redis({
    ...single,
    name,
    sentinels: [...nodes],
    sentinelPassword,
    sentinelCommandTimeout: deadlineMs,
    sentinelRetryStrategy: reconnectAfter,
    ...(address.tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  });
}

function reconnectAfter(attempt: number): number {
  return jittered(Math.min(RECONNECT_FIRST_MS * 2 ** (attempt - 1), RECONNECT_MOST_MS));
}
