import { HttpClient, type Answer } from './http-client.js';
import { until } from './until.js';

const DOCUMENTS = 8;
/** Versions that are looked at again, of each document. */
const LOOKED_AT = 10;

interface Document {
  readonly version: number;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Writes several documents as fast as it can until the server is away, and keeps account of what was acknowledged. */
export class ConfigWriters {
  /** The newest version of each that was acknowledged. */
  private readonly newest = new Map<string, number>();

  constructor(private readonly name: string) {}

  get acknowledged(): number {
    return [...this.newest.values()].reduce((sum, version) => sum + version, 0);
  }

  /** Resolves when the server is away. */
  async writeUntilAway(url: string): Promise<void> {
    const http = new HttpClient(url);
    await Promise.all(this.paths().map((path) => this.write(http, path).catch(() => undefined)));
    await http.close();
  }

  /** What each document is and must not be: it is the newest acknowledged version or the one that was under way. */
  async violations(http: HttpClient): Promise<string[]> {
    // A server that has just come may not have read them yet.
    await until(async () => (await http.get(this.paths()[0]!)).status !== 503, 60_000);
    return (await Promise.all(this.paths().map((path) => this.violationsOf(http, path)))).flat();
  }

  private paths(): string[] {
    return Array.from({ length: DOCUMENTS }, (_, i) => `/api/v1/config/${this.name}-${i}`);
  }

  private async write(http: HttpClient, path: string): Promise<void> {
    for (;;) {
      const version = (this.newest.get(path) ?? 0) + 1;
      const condition: Record<string, string> =
        version === 1 ? { 'if-none-match': '*' } : { 'if-match': `"${version - 1}"` };
      const answer: Answer<Document> = await http.put(path, contentOf(version), condition);
      if (answer.status >= 500) return;
      if (answer.data.version !== version) throw new Error(`${path}: ${version} became ${answer.text}`);
      this.newest.set(path, version);
    }
  }

  private async violationsOf(http: HttpClient, path: string): Promise<string[]> {
    const acknowledged = this.newest.get(path) ?? 0;
    const answer = await http.get<Document>(path);
    const found = answer.status === 404 ? 0 : answer.data.version;
    if (found !== acknowledged && found !== acknowledged + 1)
      return [`${path} was at ${acknowledged} and is at ${found}`];
    this.newest.set(path, found);
    const numbers = Array.from({ length: Math.min(found, LOOKED_AT) }, (_, i) => found - i);
    const wrong = numbers.map(async (version) => {
      const { data } = await http.get<Document>(`${path}?version=${version}`);
      const isWhole = JSON.stringify(data.config) === JSON.stringify(contentOf(version));
      return isWhole ? [] : [`version ${version} of ${path} is not what was put`];
    });
    return (await Promise.all(wrong)).flat();
  }
}

/** Different in length from one to the next, so that a mixture would show. */
function contentOf(version: number): object {
  return { version, text: String(version).repeat(1_000 * (1 + (version % 7))), end: version };
}
