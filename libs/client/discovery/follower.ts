import { Backoff } from '#core';
import { DiscoveryError } from '../errors.js';
import { instanceOf, type WireInstance } from '../instance.js';
import type { Transport } from '../transport.js';
import { eventsIn } from './events.js';
import type { LocalView } from './view.js';

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

export interface FollowerOptions {
  readonly silenceMs?: number;
  readonly onError?: (error: Error) => void;
  /** Every server was asked in vain, once more. */
  readonly onAway: () => void | Promise<void>;
}

/** What comes instead of a stream where something between cannot pass one on. */
class NoStreamError extends DiscoveryError {}

type Told =
  | { readonly event: 'snapshot' | 'resync'; readonly source?: string; readonly instances: readonly WireInstance[] }
  | { readonly event: 'upsert'; readonly instance: WireInstance }
  | { readonly event: 'remove'; readonly service_name: string; readonly service_id: string }
  | { readonly event: 'stale' | 'live' | 'alert' | 'goodbye' };

/** Keeps the view what a server's is: by its stream of events, or by long polls where streams do not come through. */
export class Follower {
  private revision = '';
  private failures = 0;
  private readonly backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  private polling = false;

  constructor(
    private readonly transport: Transport,
    private readonly view: LocalView,
    private readonly options: FollowerOptions,
  ) {}

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
    if (this.view.source === 'live') this.view.tell('stale');
    this.options.onError?.(error);
    // The same server may have a poll for us.
    if (this.polling) return;
    this.transport.leave();
    if (++this.failures % this.transport.size > 0) return;
    await this.options.onAway();
    await this.backoff.pause(signal);
  }

  private succeeded(): void {
    this.failures = 0;
    this.backoff.reset();
  }

  private async stream(ended: AbortSignal): Promise<void> {
    const { silenceMs = SILENCE_MS } = this.options;
    const silence = new AbortController();
    const dead = () => silence.abort(new Error(`no sign of life for ${silenceMs} ms`));
    let timer = setTimeout(dead, silenceMs);
    const end = () => silence.abort(ended.reason);
    ended.addEventListener('abort', end, { once: true });
    let heard = false;
    try {
      const headers = { accept: 'text/event-stream', ...(this.revision && { 'last-event-id': this.revision }) };
      const response = await this.transport.open('GET', WATCH, { headers, signal: silence.signal });
      for await (const { id, data } of eventsIn(bodyOf(response))) {
        clearTimeout(timer);
        timer = setTimeout(dead, silenceMs);
        heard = true;
        if (data !== undefined) this.hear(JSON.parse(data) as Told);
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

  private hear(told: Told): void {
    this.succeeded();
    switch (told.event) {
      case 'snapshot':
      case 'resync':
        this.view.replace(told.instances.map(instanceOf));
        this.view.tell(told.source === 'live' ? 'live' : 'stale');
        return;
      case 'upsert':
        this.view.upsert(instanceOf(told.instance));
        break;
      case 'remove':
        this.view.remove({ serviceName: told.service_name, serviceId: told.service_id });
        break;
      case 'stale':
      case 'live':
        this.view.tell(told.event);
        return;
      default:
        return;
    }
    this.view.tell(this.view.source ?? 'live');
  }

  private async poll(signal: AbortSignal): Promise<void> {
    const timeoutMs = POLL_S * 1_000 + POLL_MARGIN_MS;
    const path = `${LIST}&index=${this.revision || '0'}&wait=${POLL_S}s`;
    const response = await this.transport.once('GET', path, { signal, timeoutMs });
    if (!response.ok) throw new DiscoveryError('NO_ANSWER', `${response.url}: ${response.status}`);
    const { data } = (await response.json()) as { data: { instances: WireInstance[] }[] };
    this.succeeded();
    const revision = response.headers.get(REVISION) ?? '';
    if (revision !== this.revision) this.view.replace(data.flatMap(({ instances }) => instances.map(instanceOf)));
    this.revision = revision;
    this.view.tell(response.headers.get('x-registry-source') === 'live' ? 'live' : 'stale');
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
