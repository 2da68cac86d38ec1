import type { RegistryChange, RegistryEvent, RegistrySnapshot } from './backend.js';
import { asBackendError, type BackendError } from './errors.js';
import { keyText } from './instance.js';
import { compareVersions } from './version.js';

/** More instances than this waiting for one reader, and it gets a new snapshot instead. */
const MAX_PENDING = 10_000;

type InstanceEvent = Extract<RegistryChange, { kind: 'upsert' | 'remove' }>;
type Stale = Extract<RegistryChange, { kind: 'stale' }>;
type Live = Extract<RegistryChange, { kind: 'live' }>;

/**
 * What waits for one reader of a watch. The latest event of an instance replaces its earlier one, and
 * too many become a snapshot, taken when the reader comes back: a slow reader costs a bounded amount.
 *
 * Whether the registry is away is a state and not one event of many: it is told before anything else,
 * and no snapshot is told until it is back. So a snapshot always is the present.
 */
export class RegistryEventQueue implements AsyncIterable<RegistryEvent> {
  private readonly pending = new Map<string, InstanceEvent>();
  private away = false;
  /** The latest of these that the reader has not heard. */
  private untold: Stale | Live | undefined;
  private snapshotDue = true;
  private reading: Promise<RegistrySnapshot> | undefined;
  private taken: RegistrySnapshot | undefined;
  private failure: BackendError | undefined;
  private wake: (() => void) | undefined;
  private ended = false;

  /**
   * @param snapshot What there is now; asked for at the first read, and again after an overflow. When
   * it rejects, so does the reader's next read.
   */
  constructor(private readonly snapshot: () => RegistrySnapshot | Promise<RegistrySnapshot>) {}

  push(event: RegistryChange): void {
    if (this.ended) return;
    if (event.kind === 'stale') {
      this.away = true;
      this.untold = event;
      if (this.reading || this.taken) this.forget();
    } else if (event.kind === 'live') {
      this.away = false;
      this.untold = event;
    } else if (!this.snapshotDue) {
      const slot = slotOf(event);
      this.pending.delete(slot);
      this.pending.set(slot, event);
      if (this.pending.size > MAX_PENDING) this.forget();
    }
    this.wake?.();
  }

  /** Events were lost, or versions begin anew: the registry is back, and a snapshot comes next. */
  resync(): void {
    this.away = false;
    this.forget();
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.pending.clear();
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RegistryEvent, void> {
    while (!this.ended) {
      if (this.failure) throw this.failure;
      if (this.snapshotDue && !this.away) this.read();
      const event = this.next();
      if (event) yield event;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private next(): RegistryEvent | undefined {
    if (this.untold?.kind === 'stale') return this.tell(this.untold);
    if (this.taken) {
      const snapshot = this.taken;
      this.taken = undefined;
      this.untold = undefined;
      return { kind: 'snapshot', ...snapshot };
    }
    if (this.snapshotDue || this.reading) return undefined;
    const [first] = this.pending;
    if (!first) return this.untold && this.tell(this.untold);
    this.pending.delete(first[0]);
    return first[1];
  }

  private tell(word: Stale | Live): Stale | Live {
    this.untold = undefined;
    return word;
  }

  /** A snapshot has to tell what was pushed until it is begun. */
  private forget(): void {
    this.pending.clear();
    this.snapshotDue = true;
    this.reading = undefined;
    this.taken = undefined;
  }

  /** Begins a snapshot. What is pushed from now on may be newer than it, and waits. */
  private read(): void {
    this.snapshotDue = false;
    const reading = (async () => this.snapshot())();
    this.reading = reading;
    reading.then(
      (snapshot) => {
        if (this.reading === reading) this.take(snapshot);
      },
      (error: unknown) => {
        if (this.reading !== reading) return;
        this.failure = asBackendError(error);
        this.wake?.();
      },
    );
  }

  private take(snapshot: RegistrySnapshot): void {
    this.reading = undefined;
    this.taken = snapshot;
    for (const [slot, event] of this.pending) {
      const { version } = event.kind === 'upsert' ? event.instance : event;
      if (compareVersions(version, snapshot.asOf) <= 0) this.pending.delete(slot);
    }
    this.wake?.();
  }
}

function slotOf(event: InstanceEvent): string {
  return keyText(event.kind === 'upsert' ? event.instance : event.key);
}
