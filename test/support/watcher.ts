import { once } from 'node:events';
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Instance } from './instances.js';
import { within } from './process.js';
import { Told, type WatchEvent } from './told.js';

export interface WatcherOptions {
  readonly lastEventId?: string;
  /** What it knows already. */
  readonly knows?: ReadonlyMap<string, Instance>;
}

/** Somebody who watches over server-sent events. */
export class Watcher extends Told {
  /** Comments: signs of life. */
  beats = 0;
  lastEventId: string | undefined;
  /** Resolves when the stream has ended, however. */
  readonly ended: Promise<void>;
  private unread = '';

  private constructor(
    private readonly request: ClientRequest,
    private readonly response: IncomingMessage,
    { lastEventId, knows = new Map() }: WatcherOptions,
  ) {
    super();
    this.lastEventId = lastEventId;
    for (const [key, instance] of knows) this.state.set(key, instance);
    response.setEncoding('utf8').on('data', (text: string) => this.read(text));
    this.ended = new Promise((resolve) => response.once('close', resolve));
    void this.ended.then(() => this.end());
  }

  /** Resolves when the stream is open; rejects with the answer when there is none. */
  static async open(url: string, path: string, options: WatcherOptions = {}): Promise<Watcher> {
    const { lastEventId } = options;
    const headers = { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const request = get(`${url}/api/v1/watch/${path}`, { headers, agent: false });
    const [response] = (await within(once(request, 'response'), 'a stream')) as [IncomingMessage];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (response.statusCode !== 200) {
      request.destroy();
      throw new Error(`no stream but ${response.statusCode}`);
    }
    return new Watcher(request, response, options);
  }

  /** Comes back to where it was, here or elsewhere, with what it knows. */
  async again(url: string, path: string): Promise<Watcher> {
    return Watcher.open(url, path, { lastEventId: this.lastEventId, knows: this.state });
  }

  /** Reads nothing more, and leaves what comes to pile up. */
  stall(): void {
    this.response.pause();
  }

  goOn(): void {
    this.response.resume();
  }

  async close(): Promise<void> {
    this.request.destroy();
    await this.ended;
  }

  private read(text: string): void {
    this.unread += text;
    for (let end = this.unread.indexOf('\n\n'); end >= 0; end = this.unread.indexOf('\n\n')) {
      this.readEvent(this.unread.slice(0, end).split('\n'));
      this.unread = this.unread.slice(end + 2);
    }
    this.tell();
  }

  private readEvent(lines: readonly string[]): void {
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    this.lastEventId = field('id') ?? this.lastEventId;
    if (lines[0]!.startsWith(':')) this.beats++;
    const data = field('data');
    if (data === undefined) return;
    const event = JSON.parse(data) as WatchEvent;
    if (event.event !== field('event')) throw new Error(`${field('event')} says that it is ${event.event}`);
    if (event.revision !== field('id')) throw new Error(`${field('id')} says that it is ${event.revision}`);
    this.take(event);
  }
}
