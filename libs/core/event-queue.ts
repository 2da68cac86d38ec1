import { keyText } from './instance.js';
import type { RegistryEvent, RegistrySnapshot } from './backend.js';

/** More instances than this waiting for one reader, and it gets a new snapshot instead. */
const MAX_PENDING = 10_000;

/**
 * What waits for one reader of a watch. The latest event of an instance replaces its earlier one, and
 * too many become a snapshot, taken when the reader comes back: a slow reader costs a bounded amount.
 */
export class RegistryEventQueue implements AsyncIterable<RegistryEvent> {
  private readonly pending = new Map<string, RegistryEvent>();
  private wake: (() => void) | undefined;
  private overflowed: boolean;
  private ended = false;

  /** @param snapshot What there is now; asked for at the first read, and again after an overflow. */
  constructor(private readonly snapshot: () => RegistrySnapshot) {
    this.overflowed = true;
  }

  push(event: RegistryEvent): void {
    if (this.ended || this.overflowed) return;
    const slot = event.kind === 'upsert' ? keyText(event.instance) : event.kind === 'remove' ? keyText(event.key) : '';
    this.pending.delete(slot);
    this.pending.set(slot, event);
    if (this.pending.size > MAX_PENDING) this.resync();
    this.wake?.();
  }

  /** Forgets what waits: the reader's next event is a snapshot. */
  resync(): void {
    this.pending.clear();
    this.overflowed = true;
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.pending.clear();
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void> {
    while (!this.ended) {
      if (this.overflowed) {
        this.overflowed = false;
        yield { kind: 'snapshot', ...this.snapshot() };
        continue;
      }
      const [next] = this.pending;
      if (next) {
        this.pending.delete(next[0]);
        yield next[1];
        continue;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
  }
}
