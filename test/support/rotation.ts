import { setTimeout as sleep } from 'node:timers/promises';
import { revisionNumber } from './changes.js';
import type { HttpClient } from './http-client.js';
import type { Instance, Service } from './instances.js';
import { until } from './until.js';

interface Picked {
  readonly id: string;
  /** Of the view that it was picked from. */
  readonly revision: number;
  /** When the answer was here, milliseconds, monotonic. */
  readonly at: number;
}

interface Observed {
  readonly revision: number;
  readonly instances: ReadonlyMap<string, { readonly status: string; readonly version: string }>;
}

const LANES = 4;

/**
 * Callers that pick without a pause, beside a watcher that follows the service by long polls. Every
 * answer says which revision it was made from, so a pick can be held against what was true then.
 */
export class Rotation {
  readonly picks: Picked[] = [];
  private readonly observed: Observed[] = [];
  private readonly ending = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly http: HttpClient,
    private readonly service: string,
  ) {}

  start(): void {
    this.running = Promise.all([this.watch(), ...Array.from({ length: LANES }, () => this.pick())]);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** When the instance was last picked; 0: never. */
  lastPick(id: string): number {
    return this.picks.findLast((pick) => pick.id === id)?.at ?? 0;
  }

  /** Resolves when the instance has been picked after that time. */
  async picked(id: string, after: number): Promise<void> {
    await until(() => this.lastPick(id) > after, 10_000);
  }

  /** Picks of an instance that was out of rotation in the very view that it was picked from. */
  wrongPicks(): string[] {
    return this.picks.flatMap(({ id, revision }) => {
      const before = this.observed.findLast((each) => each.revision <= revision)?.instances.get(id);
      const after = this.observed.find((each) => each.revision >= revision)?.instances.get(id);
      // Between two sights of the same version nothing has happened to it.
      const known = before && before.version === after?.version;
      return known && ['critical', 'maintenance'].includes(before.status)
        ? [`${id} was picked at revision ${revision} while ${before.status}`]
        : [];
    });
  }

  private async watch(): Promise<void> {
    for (let index = '0'; !this.ending.signal.aborted;) {
      const answer = await this.http.get<Service>(`/api/v1/services/${this.service}?index=${index}&wait=500ms`);
      index = answer.revision;
      this.observed.push({
        revision: revisionNumber(answer),
        instances: new Map(
          answer.data.instances.map(({ service_id, status, version }) => [service_id, { status, version }]),
        ),
      });
    }
  }

  private async pick(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const answer = await this.http.get<Instance>(`/api/v1/services/${this.service}/instance`);
      this.picks.push({ id: answer.data.service_id, revision: revisionNumber(answer), at: performance.now() });
      // The machine is others' too.
      await sleep(2);
    }
  }
}
