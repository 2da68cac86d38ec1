import { Backoff } from '#core';
import { systemClock, type Clock } from '../clock.js';
import { DiscoveryError } from '../errors.js';
import type { WireInstance } from '../instance.js';
import type { Transport } from '../transport.js';
import { eventsIn } from './events.js';

const WATCH = '/api/v1/watch/services';
const LIST = '/api/v1/services?include=instances';
const REVISION = 'x-registry-revision';
const SILENCE_MS = 45_000;
/** How long a poll is held by the server, and how much longer its answer may take. */
const POLL_S = 30;
const POLL_MARGIN_MS = 10_000;
/** Between attempts, once every server was tried. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** An event as docs/watching.md has it: of its members those that are read here. */
export type WatchEvent =
  | { readonly event: 'snapshot' | 'resync'; readonly source: string; readonly instances: readonly WireInstance[] }
  | { readonly event: 'upsert'; readonly cause: string; readonly instance: WireInstance }
  | { readonly event: 'remove'; readonly cause: string; readonly service_name: string; readonly service_id: string }
  | { readonly event: 'stale' | 'live' }
  | { readonly event: 'alert'; readonly alert: string; readonly service_name?: string; readonly service_id?: string }
  | { readonly event: 'goodbye'; readonly reason: string };

/** Who is told what a follower hears. */
export interface Listener {
  hear(event: WatchEvent): void;
  /** Nobody tells any more; `hear` is called again when somebody does. */
  lost(error: Error): void;
  /** Every server was asked in vain, once more. */
  away?(): void | Promise<void>;
}

export interface FollowerOptions {
  /** This one alone, in lower case; all without it. */
  readonly service?: string;
  /** Of a filter, as lists have it: `tags=v1&zone=a`. */
  readonly filter?: string;
  readonly silenceMs?: number;
  /** For the pauses between attempts. */
  readonly clock?: Clock;
}

/** What comes instead of a stream where something between cannot pass one on. */
class NoStreamError extends DiscoveryError {}

/**
 * Hears what changes at a server, and goes on at another one when it dies: by its stream of events, or by long polls
 * where streams do not come through.
 */
export class Follower {
  private revision = '';
  private failures = 0;
  private readonly backoff: Backoff;
  private polling = false;

  constructor(
    private readonly transport: Transport,
    private readonly listener: Listener,
    private readonly options: FollowerOptions = {},
  ) {
    const { clock = systemClock } = options;
    this.backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, (ms, signal) => clock.pause(ms, signal));
  }

  /** Ends with the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.polling) await this.poll(signal);
        else await this.stream(signal);
      } catch (error) {
        await this.failed(error as Error, signal);
      }
    }
  }

  private async failed(error: Error, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.polling = error instanceof NoStreamError;
    this.listener.lost(error);
    // The same server may have a poll for us.
    if (this.polling) return;
    this.transport.leave();
    if (++this.failures % this.transport.size > 0) return;
    await this.listener.away?.();
    await this.backoff.pause(signal);
  }

  private async stream(ended: AbortSignal): Promise<void> {
    const { silenceMs = SILENCE_MS, service, filter } = this.options;
    const path = `${WATCH}${service === undefined ? '' : `/${encodeURIComponent(service)}`}${filter ? `?${filter}` : ''}`;
    const silence = new AbortController();
    const dead = () => silence.abort(new Error(`no sign of life for ${silenceMs} ms`));
    let timer = setTimeout(dead, silenceMs);
    const end = () => silence.abort(ended.reason);
    ended.addEventListener('abort', end, { once: true });
    let heard = false;
    try {
      const headers = { accept: 'text/event-stream', ...(this.revision && { 'last-event-id': this.revision }) };
      const response = await this.transport.open('GET', path, { headers, signal: silence.signal });
      for await (const { id, data } of eventsIn(bodyOf(response))) {
        clearTimeout(timer);
        timer = setTimeout(dead, silenceMs);
        heard = true;
        if (data !== undefined) this.hear(JSON.parse(data) as WatchEvent);
        this.revision = id ?? this.revision;
      }
    } catch (error) {
      // Something in between keeps what it should pass on.
      if (silence.signal.aborted && !heard && !ended.aborted) throw new NoStreamError('NO_STREAM', String(error));
      throw error;
    } finally {
      clearTimeout(timer);
      ended.removeEventListener('abort', end);
      silence.abort();
    }
    throw new DiscoveryError('STREAM_ENDED', 'the stream has ended');
  }

  private hear(event: WatchEvent): void {
    this.failures = 0;
    this.backoff.reset();
    this.listener.hear(event);
  }

  private async poll(signal: AbortSignal): Promise<void> {
    const { service, filter } = this.options;
    const timeoutMs = POLL_S * 1_000 + POLL_MARGIN_MS;
    const path = `${LIST}&index=${this.revision || '0'}&wait=${POLL_S}s${filter ? `&${filter}` : ''}`;
    const response = await this.transport.once('GET', path, { signal, timeoutMs });
    if (!response.ok) throw new DiscoveryError('NO_ANSWER', `${response.url}: ${response.status}`);
    const { data } = (await response.json()) as { data: { service_name: string; instances: WireInstance[] }[] };
    const revision = response.headers.get(REVISION) ?? '';
    const source = response.headers.get('x-registry-source') === 'live' ? 'live' : 'stale';
    if (revision === this.revision) {
      this.hear({ event: source });
    } else {
      const concerned = data.filter(({ service_name }) => service === undefined || service_name === service);
      this.hear({ event: 'resync', source, instances: concerned.flatMap(({ instances }) => instances) });
    }
    this.revision = revision;
  }
}

/** @throws NoStreamError for an answer that is none, but for a server that cannot serve now. */
function bodyOf(response: Response): ReadableStream<Uint8Array> {
  const type = response.headers.get('content-type') ?? '';
  if (response.ok && response.body && type.startsWith('text/event-stream')) return response.body;
  void response.body?.cancel();
  const what = `${response.url}: ${response.status} ${type} in place of a stream`;
  if (response.status >= 500 || response.status === 401 || response.status === 403)
    throw new DiscoveryError('NO_ANSWER', what);
  throw new NoStreamError('NO_STREAM', what);
}
