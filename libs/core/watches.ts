import type { RegistryChange, RegistryEvent, RegistrySnapshot } from './backend.js';
import { RegistryEventQueue } from './event-queue.js';

/** The readers of a backend's watch: all are told the same, each at its own pace. */
export class Watches {
  private readonly queues = new Set<RegistryEventQueue>();
  /** Those who come while the registry is away are told so too. */
  private outage: Extract<RegistryChange, { kind: 'stale' }> | undefined;
  private ended = false;

  /** @param snapshot What there is now; asked for by each reader at its beginning and after a gap. */
  constructor(private readonly snapshot: () => RegistrySnapshot | Promise<RegistrySnapshot>) {}

  async *watch(signal: AbortSignal): AsyncGenerator<RegistryEvent, void> {
    if (signal.aborted || this.ended) return;
    const queue = new RegistryEventQueue(this.snapshot);
    if (this.outage) queue.push(this.outage);
    const end = () => queue.end();
    signal.addEventListener('abort', end, { once: true });
    this.queues.add(queue);
    try {
      yield* queue;
    } finally {
      this.queues.delete(queue);
      signal.removeEventListener('abort', end);
    }
  }

  tell(change: RegistryChange): void {
    if (change.kind === 'stale') this.outage = change;
    if (change.kind === 'live') this.outage = undefined;
    for (const queue of this.queues) queue.push(change);
  }

  /** Something may have been lost: the registry is there, and every reader gets a snapshot next. */
  resync(): void {
    this.outage = undefined;
    for (const queue of this.queues) queue.resync();
  }

  end(): void {
    this.ended = true;
    for (const queue of this.queues) queue.end();
  }
}
