import { asBackendError, type Logger } from '#core';
import type { Connection } from './connection.js';
import { NO_LEASE } from './layout.js';
import type { Transactions } from './transactions.js';
import { REGISTRY, type Known, type View } from './view.js';

const LOOK_MS = 250;
/** etcd ends a lease within a second, unless it has too many to end. */
const LATE_MS = 1_000;
/** Leases that are asked about at a time: a sample, and more when it shows that etcd is behind. */
const SAMPLE = 16;
const MOST_AT_ONCE = 128;

/**
 * Ends what etcd is late to end. It revokes at most 1,000 leases a second, and after a mass death the last of
 * them would be minutes late. Whether a lease is over is always etcd's word: here it is only asked for, of those
 * that were not renewed through us, and the instance removed.
 */
export class Expiry {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly connection: Connection,
    private readonly view: View,
    private readonly transactions: Transactions,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      if (this.connection.isThere) this.working ??= this.work().finally(() => (this.working = undefined));
    }, LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.working;
  }

  private async work(): Promise<void> {
    try {
      for (let width = SAMPLE; !this.stopped; width = Math.min(width * 4, MOST_AT_ONCE)) {
        const late = this.late(width);
        const ended = await Promise.all(late.map((each) => this.endIfOver(each)));
        if (ended.filter(Boolean).length <= late.length / 2) return;
      }
    } catch (error) {
      this.logger.debug({ reason: asBackendError(error).message }, 'could not ask etcd for leases that are late');
    }
  }

  /** Some of those that are; others for each replica. */
  private late(most: number): readonly Known[] {
    const now = performance.now();
    const late: Known[] = [];
    for (const known of this.view.all()) if (known.deadline + LATE_MS < now) late.push(known);
    const first = Math.floor(Math.random() * late.length);
    return [...late.slice(first), ...late.slice(0, first)].slice(0, most);
  }

  private async endIfOver(known: Known): Promise<boolean> {
    const { key, version, lease } = known;
    const left = lease === NO_LEASE ? undefined : await this.connection.client.remaining(lease);
    if (left !== undefined) {
      known.deadline = performance.now() + left;
      return false;
    }
    const why = { cause: 'expired', actor: REGISTRY } as const;
    const outcome = await this.transactions.commit({ key, ifVersion: version, to: why });
    if (outcome.done) this.view.remove(key, outcome.version, why.cause, why.actor);
    return outcome.done;
  }
}
