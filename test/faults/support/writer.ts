import { setTimeout as sleep } from 'node:timers/promises';
import { body, instancePath } from '../../support/instances.js';
import type { Shown } from './reader.js';
import type { Outcome, Writes } from './writes.js';

const LANES = 4;
const PAUSE_MS = 100;
const SERVICE = 'written';

/** What is known of an instance: its tag, that it is not there, or that nobody can say. */
type Known = 'first' | 'next' | 'gone' | 'unknown';

/** Registers, changes and deregisters, and keeps account of what must be there. */
export class Writer {
  private readonly account = new Map<string, Known>();
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly writes: Writes,
    /** Whether what was acknowledged may be lost. */
    private readonly mayLose: boolean,
  ) {}

  start(): void {
    this.running = Promise.all(Array.from({ length: LANES }, (_, lane) => this.write(lane)));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  /** Of what was acknowledged, the registry has lost anything. */
  forget(): void {
    for (const id of this.account.keys()) this.account.set(id, 'unknown');
  }

  /** What is known now: to be compared with what is shown by an answer to a question asked afterwards. */
  known(): ReadonlyMap<string, Known> {
    return new Map(this.account);
  }

  /** In what an answer differs from what was known before it, unless that has changed since. */
  differences(before: ReadonlyMap<string, Known>, shown: Shown): string[] {
    return [...before].flatMap(([id, known]) => {
      if (known === 'unknown' || this.account.get(id) !== known) return [];
      const found = shown.get(`${SERVICE}/${id}`);
      if (known === 'gone') return found ? [`${id} is there and has gone`] : [];
      return found?.tags[0] === known && !found.held ? [] : [`${id} is ${found?.tags[0]} and not ${known}`];
    });
  }

  private async write(lane: number): Promise<void> {
    for (let n = 0; !this.stopped; n++) {
      const [made, changed, ended] = [n, n - 1, n - 4].map((number) => `${lane}-${number}`) as [string, string, string];
      const registration = body({ service_name: SERVICE, id: made, tags: ['first'], ttl: 300 });
      await this.change(made, 'first', () => this.writes.write('POST', '/api/v1/services', registration));
      if (n < 4) continue;
      const path = (id: string) => instancePath(SERVICE, id);
      await this.change(changed, 'next', () => this.writes.write('PATCH', path(changed), { tags: ['next'] }));
      await this.change(ended, 'gone', () => this.writes.write('DELETE', path(ended)));
    }
  }

  private async change(id: string, to: Known, write: () => Promise<Outcome>): Promise<void> {
    const before = this.account.get(id) ?? 'gone';
    this.account.set(id, 'unknown');
    const outcome = await write();
    if (outcome === 'done') this.account.set(id, to);
    if (outcome === 'refused') this.account.set(id, this.mayLose ? 'unknown' : before);
    if (outcome === 'missing') {
      this.account.set(id, 'gone');
      if (before !== 'gone' && before !== 'unknown' && !this.mayLose) this.writes.violations.push(`${id} was lost`);
    }
    await sleep(PAUSE_MS);
  }
}
