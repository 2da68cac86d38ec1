import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from '../../support/http-client.js';
import type { ServiceSummary } from '../../support/instances.js';

const PAUSE_MS = 40;
const ALL = '/api/v1/services?include=instances';

/** What one answer has shown. Times are monotonic, milliseconds. */
export interface Read {
  readonly begun: number;
  readonly ended: number;
  /** 0: there was no answer. */
  readonly status: number;
  readonly source: string | undefined;
  readonly ageMs: number;
  readonly shown: Shown;
}

/** All that is registered, by `SERVICE/ID`. */
export type Shown = ReadonlyMap<
  string,
  { readonly tags: readonly string[]; readonly status: string; readonly held: boolean }
>;

const NOTHING: Shown = new Map();

/** Reads everything once. */
export async function readAll(http: HttpClient): Promise<Read> {
  const begun = performance.now();
  const answer = await http.get<ServiceSummary[]>(ALL).catch(() => undefined);
  const ended = performance.now();
  if (answer?.status !== 200) {
    return { begun, ended, status: answer?.status ?? 0, source: undefined, ageMs: 0, shown: NOTHING };
  }
  const { 'x-registry-source': source, 'x-registry-age': age } = answer.headers;
  const instances = answer.data.flatMap(({ instances = [] }) => instances);
  const shown = new Map(
    instances.map(({ service_name, service_id, tags, status, held = false }) => [
      `${service_name}/${service_id}`,
      { tags, status, held },
    ]),
  );
  return { begun, ended, status: 200, source, ageMs: Number(age), shown };
}

/** Somebody who asks all the time, and remembers every answer. */
export class Reader {
  readonly reads: Read[] = [];
  private stopped = false;
  private running: Promise<void> | undefined;

  constructor(private readonly http: () => HttpClient) {}

  start(): void {
    this.stopped = false;
    this.running = this.read();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      this.reads.push(await readAll(this.http()));
      await sleep(PAUSE_MS);
    }
  }
}
