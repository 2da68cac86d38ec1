import { once } from 'node:events';
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Instance } from './instances.js';
import { within } from './process.js';

/** An event as its data has it. */
export interface WatchEvent {
  readonly event: string;
  readonly revision: string;
  readonly cause?: string;
  readonly reason?: string;
  readonly source?: string;
  readonly instances?: readonly Instance[];
  readonly instance?: Instance;
  readonly service_name?: string;
  readonly service_id?: string;
}

export interface WatcherOptions {
  readonly lastEventId?: string;
}

/** Somebody who watches over server-sent events, keeps what it is told, and holds the server to the order of it. */
export class Watcher {
  readonly events: WatchEvent[] = [];
  /** By service and id, what it has been told. */
  readonly state = new Map<string, Instance>();
  /** Comments and ids alone: signs of life. */
  beats = 0;
  lastEventId: string | undefined;
  /** Resolves when the stream has ended, however. */
  readonly ended: Promise<void>;
  private unread = '';
  private readonly listeners = new Set<() => void>();

  private constructor(
    private readonly request: ClientRequest,
    private readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8').on('data', (text: string) => this.read(text));
    this.ended = new Promise((resolve) => response.once('close', resolve));
    void this.ended.then(() => this.tell());
  }

  /** Resolves when the stream is open; rejects with the answer when there is none. */
  static async open(url: string, path: string, { lastEventId }: WatcherOptions = {}): Promise<Watcher> {
    const headers = { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
    const request = get(`${url}/api/v1/watch/${path}`, { headers, agent: false });
    const [response] = (await within(once(request, 'response'), 'a stream')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`no stream but ${response.statusCode}`);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    return new Watcher(request, response);
  }

  /** The first event that fits, come or to come. */
  async event(fits: (event: WatchEvent) => boolean, what: string): Promise<WatchEvent> {
    await this.until(() => this.events.some(fits), what);
    return this.events.find(fits)!;
  }

  /** Resolves when it is so, which only what comes can make it. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    let look!: () => void;
    const found = new Promise<void>((resolve, reject) => {
      look = () => {
        if (isSo()) resolve();
        else if (this.response.closed) reject(new Error(`the stream ended before ${what}`));
      };
      this.listeners.add(look);
      look();
    });
    await within(found, what).finally(() => this.listeners.delete(look));
  }

  names(): string[] {
    return this.events.map(({ event }) => event);
  }

  ids(): string[] {
    return [...this.state.values()].map(({ service_id }) => service_id).sort();
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
      this.take(this.unread.slice(0, end).split('\n'));
      this.unread = this.unread.slice(end + 2);
    }
    this.tell();
  }

  private take(lines: readonly string[]): void {
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    this.lastEventId = field('id') ?? this.lastEventId;
    const data = field('data');
    if (data === undefined) {
      if (lines[0]!.startsWith(':')) this.beats++;
      return;
    }
    const event = JSON.parse(data) as WatchEvent;
    if (event.event !== field('event')) throw new Error(`${field('event')} says that it is ${event.event}`);
    if (event.revision !== field('id')) throw new Error(`${field('id')} says that it is ${event.revision}`);
    this.events.push(event);
    this.fold(event);
  }

  private fold({ event, instances, instance, service_name, service_id }: WatchEvent): void {
    if (event === 'snapshot' || event === 'resync') {
      this.state.clear();
      for (const each of instances!) this.state.set(`${each.service_name}/${each.service_id}`, each);
    } else if (event === 'upsert') {
      const key = `${instance!.service_name}/${instance!.service_id}`;
      const known = this.state.get(key);
      if (known?.version === instance!.version && known.held === instance!.held)
        throw new Error(`${key} was told twice at version ${known.version}`);
      this.state.set(key, instance!);
    } else if (event === 'remove') {
      this.state.delete(`${service_name}/${service_id}`);
    }
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
