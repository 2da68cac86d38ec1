import { setTimeout as sleep } from 'node:timers/promises';
import { body, instancePath } from '../../support/instances.js';
import { until } from '../../support/until.js';
import type { Writes } from './writes.js';

const SIZE = 8;
const SERVICE = 'fleet';

/** Well-behaved instances: each says once a second that it lives, and registers when it is not known. */
export class Fleet {
  /** How often one of them was told that it is not known. */
  lost = 0;
  readonly members = Array.from({ length: SIZE }, (_, i) => `${SERVICE}/${i}`);
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();
  private registered = 0;

  constructor(
    private readonly writes: Writes,
    private readonly ttl: number,
  ) {}

  /** Resolves when all are registered. */
  async start(): Promise<void> {
    this.running = Promise.all(this.members.map((member, i) => this.live(member.split('/')[1]!, i)));
    await until(() => this.registered === SIZE, 30_000);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async live(id: string, i: number): Promise<void> {
    const registration = body({ service_name: SERVICE, id, address: '10.0.0.1', port: 80 + i, ttl: this.ttl });
    const register = () => this.writes.write('POST', '/api/v1/services', registration);
    const beat = () => this.writes.write('PUT', `${instancePath(SERVICE, id)}/heartbeat`);
    let known = false;
    while (!this.stopped) {
      if (known && (await beat()) === 'missing') {
        this.lost++;
        known = false;
      }
      if (!known && (await register()) === 'done') {
        this.registered++;
        known = true;
      }
      await sleep(1_000);
    }
  }
}
