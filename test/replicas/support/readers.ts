import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient, type Answer } from '../../support/http-client.js';

/** What tells a client that nobody was there to take its request, or has begun to answer it: it may ask another. */
const NOT_TAKEN = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

/** One that reads without a pause to speak of, each time from any replica, and from the next when that is not there. */
export class Reader {
  answers = 0;
  /** Of those, how many said that nothing has changed. */
  unchanged = 0;
  /** How often it has gone to another replica. */
  moves = 0;
  readonly failures: string[] = [];
  private readonly clients = new Map<string, HttpClient>();
  private etag = '';

  /** @param urls Of the replicas; one that is added later is asked, too. */
  constructor(
    private readonly urls: readonly string[],
    private readonly path: string,
  ) {}

  async readUntil(ending: AbortSignal, everyMs: number): Promise<void> {
    while (!ending.aborted) {
      await this.read();
      await sleep(everyMs * (0.5 + Math.random()));
    }
    await Promise.all([...this.clients.values()].map((client) => client.close()));
  }

  private async read(): Promise<void> {
    const first = Math.floor(Math.random() * this.urls.length);
    for (let tries = 0; tries < 2 * this.urls.length; tries++) {
      const url = this.urls[(first + tries) % this.urls.length]!;
      try {
        this.take(await this.clientOf(url).get(this.path, this.etag === '' ? {} : { 'if-none-match': this.etag }));
        return;
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        if (!NOT_TAKEN.has(code)) {
          this.failures.push(`${url}: ${code} ${message}`);
          return;
        }
        this.moves++;
      }
    }
    this.failures.push('no replica takes connections');
  }

  private take({ status, text, etag }: Answer): void {
    if (status === 200 || status === 304) this.answers++;
    else this.failures.push(`${status} ${text}`);
    if (status === 304) this.unchanged++;
    this.etag = etag;
  }

  private clientOf(url: string): HttpClient {
    const known = this.clients.get(url) ?? new HttpClient(url);
    this.clients.set(url, known);
    return known;
  }
}
