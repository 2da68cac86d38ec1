import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceCommunicator, type CommunicatorOptions, type DiscoveryClient } from '#client';

const TICK_MS = 20;

/** So many a second, and how they ended. */
export class Calls {
  made = 0;
  attempts = 0;
  readonly failures = new Map<string, number>();
  private open = 0;
  private readonly communicator: ServiceCommunicator;

  constructor(
    discovery: DiscoveryClient,
    private readonly rate: { readonly perSecond: number; readonly seconds: number },
    options: CommunicatorOptions,
  ) {
    const events = { attempt: () => this.attempts++ };
    this.communicator = new ServiceCommunicator(discovery, { ...options, events });
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, each) => sum + each, 0);
  }

  /** @param at What is done after so many seconds. */
  async run(at: readonly (readonly [second: number, act: () => unknown])[] = []): Promise<void> {
    const { perSecond, seconds } = this.rate;
    const acts = [...at];
    const underWay: Promise<unknown>[] = [];
    const began = performance.now();
    for (let second = 0; second < seconds; second = (performance.now() - began) / 1_000) {
      while (acts.length > 0 && second >= acts[0]![0]) underWay.push(Promise.resolve(acts.shift()![1]()));
      while (this.made < second * perSecond) void this.once();
      await sleep(TICK_MS);
    }
    while (this.open > 0) await sleep(TICK_MS);
    await Promise.all(underWay);
  }

  private async once(): Promise<void> {
    this.made++;
    this.open++;
    const outcome = await this.communicator.call({ service: 'users', path: '/' }).then(
      ({ ok, status }) => (ok ? undefined : String(status)),
      (error: unknown) => String(error),
    );
    this.open--;
    if (outcome !== undefined) this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + 1);
  }
}
