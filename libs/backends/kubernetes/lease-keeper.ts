import { BackendError, type Logger, type ServiceInstance } from '#core';
import type { LeaseForm } from './leases.js';
import { nameOf, type Lease } from './objects.js';

const TICK_MS = 250;
/** Whoever comes so late has stood still. */
const MOST_PER_TICK_MS = 2 * TICK_MS;
/** Without a word from Kubernetes for so long, it is away: no lease goes on. */
const SILENCE_MS = 2_000;
const PROBE_AFTER_MS = 1_000;
/** How long the one who has removed an instance has for deleting what is left of it. */
const BURIAL_MS = 10_000;
const MOST_AT_ONCE = 16;

interface Tended {
  readonly ttl: number;
  /** The last heartbeat that the Lease tells of. */
  readonly renewTime: string | undefined;
  /** When the lease began, in time during which Kubernetes answered. */
  began: number;
  /** When a heartbeat was last written; on the monotonic clock, as the next. */
  readonly writtenAt: number;
  /** A heartbeat that is not written yet, and when it came. */
  unwritten?: { readonly beat: Date; readonly at: number };
}

export interface LeaseKeeperDuties {
  /** Writes a heartbeat that came so long ago. */
  renew(slot: string, beat: Date, ageMs: number): Promise<unknown>;
  expire(slot: string): Promise<unknown>;
  bury(slot: string, lease: Lease): Promise<unknown>;
  probe(): Promise<unknown>;
  /** When Kubernetes last answered; on the monotonic clock. */
  readonly lastHeard: () => number;
  readonly isLive: () => boolean;
}

/**
 * Ends leases by the time since a heartbeat was seen here, on this host's clock alone, and only by the time during
 * which Kubernetes answered. Every replica does; the first to write it has done it. Heartbeats are written at
 * most every third of the TTL; the age that is written with a late one takes the lateness out again.
 */
export class LeaseKeeper {
  private readonly tended = new Map<string, Tended>();
  private readonly graves = new Map<string, { readonly lease: Lease; readonly since: number }>();
  /** Leases to be looked at, as soon as there is room for it. */
  private readonly due = new Set<string>();
  private readonly busy = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private time = 0;
  private lastTick = 0;

  constructor(
    private readonly form: LeaseForm,
    private readonly duties: LeaseKeeperDuties,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.lastTick = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.clear();
  }

  clear(): void {
    this.tended.clear();
    this.graves.clear();
    this.due.clear();
  }

  changed(before: Lease | undefined, after: Lease | undefined): void {
    const slot = nameOf((after ?? before)!);
    this.graves.delete(slot);
    const instance = after && !this.form.removalOf(after) ? this.form.instanceOf(after) : undefined;
    if (after && !instance) this.graves.set(slot, { lease: after, since: this.present });
    if (!after || !instance || instance instanceof BackendError || instance.ttl === undefined) this.tended.delete(slot);
    else this.tend(slot, after, instance, instance.ttl);
  }

  /** A heartbeat has come. True: it has to be written now; false: it waits for its turn, or ends nothing. */
  beat(slot: string, at: Date): boolean {
    const tended = this.tended.get(slot);
    if (!tended) return false;
    if (this.isDue(tended)) return true;
    tended.began = this.present;
    tended.unwritten = { beat: at, at: performance.now() };
    return false;
  }

  private tend(slot: string, lease: Lease, { registeredAt }: ServiceInstance, ttl: number): void {
    const known = this.tended.get(slot);
    const { renewTime } = lease.spec;
    if (known && known.renewTime === renewTime) {
      this.tended.set(slot, { ...known, ttl });
      return;
    }
    // At the first sight of one nobody knows how old it is.
    const began = known ? this.present - Math.min(this.form.ageOf(lease), ttl) : this.present;
    const written = Date.parse(renewTime ?? '') || registeredAt;
    const unwritten = known?.unwritten && known.unwritten.beat.getTime() > written ? known.unwritten : undefined;
    this.tended.set(slot, {
      ttl,
      renewTime,
      began: Math.max(began, known?.began ?? 0),
      writtenAt: performance.now(),
      ...(unwritten && { unwritten }),
    });
  }

  /** The time goes on in ticks: what happens between two is not to count as of the one before. */
  private get present(): number {
    return this.time + Math.min(performance.now() - this.lastTick, MOST_PER_TICK_MS);
  }

  private isDue({ ttl, writtenAt }: Tended): boolean {
    return performance.now() - writtenAt >= ttl / 3;
  }

  private tick(): void {
    this.advance();
    for (const slots of [this.graves.keys(), this.tended.keys()])
      for (const slot of slots) if (this.dutyTo(slot)) this.due.add(slot);
    this.pump();
  }

  /** Each is looked at again when its turn comes: a heartbeat may have been faster. */
  private pump(): void {
    for (const slot of this.due) {
      if (this.busy.size >= MOST_AT_ONCE) return;
      this.due.delete(slot);
      const duty = this.dutyTo(slot);
      if (duty) this.work(slot, duty);
    }
  }

  private dutyTo(slot: string): (() => Promise<unknown>) | undefined {
    const grave = this.graves.get(slot);
    if (grave && this.time - grave.since > BURIAL_MS) return () => this.duties.bury(slot, grave.lease);
    const tended = this.tended.get(slot);
    if (!tended) return undefined;
    const { unwritten, began, ttl } = tended;
    if (this.time - began > ttl) return () => this.duties.expire(slot);
    if (!unwritten || !this.isDue(tended)) return undefined;
    return () => this.duties.renew(slot, unwritten.beat, performance.now() - unwritten.at);
  }

  /** Whatever kept us from hearing of heartbeats, a registry that is away or a process that stood still, ends nobody. */
  private advance(): void {
    const now = performance.now();
    const passed = Math.min(now - this.lastTick, MOST_PER_TICK_MS);
    this.lastTick = now;
    const silence = now - this.duties.lastHeard();
    if (silence > PROBE_AFTER_MS) this.work('probe', () => this.duties.probe());
    if (silence < SILENCE_MS && this.duties.isLive()) this.time += passed;
  }

  private work(name: string, duty: () => Promise<unknown>): void {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    duty()
      .catch((error: unknown) => {
        this.logger.debug({ lease: name, reason: String(error) }, 'a Lease is tried again');
        // Kubernetes may be away: the others wait for the next look.
        this.due.clear();
      })
      .finally(() => {
        this.busy.delete(name);
        this.pump();
      });
  }
}
