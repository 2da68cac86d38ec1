import { pause } from '#core';
import { clear, expire, EXPIRED, put } from './operations.js';
import type { Parts } from './parts.js';
import type { Reader } from './reader.js';
import type { Operation } from './types.js';
import type { Known } from './view.js';

const SWEEP_MS = 500;
const PING_DEADLINE_MS = 2_000;
/** When nothing was answered for so long, Consul was away or this process stood still: nobody could renew. */
const GAP_MS = 1_500;
/** How long the word of a removal stays for the other replicas. */
const GRAVE_MS = 15_000;
/** Others want to know the load of an instance with a long lease, or none, before a third of it is over. */
const LONGEST_WAIT_MS = 30_000;

/** What is to be written, and what it makes of what is known. */
interface Duty {
  readonly known: Known;
  readonly operations: readonly Operation[];
  readonly done: (indexOf: (key: string) => number) => void;
}

/**
 * Consul has no lease that could serve here. Every replica ends those that have run out by what it has
 * heard and seen, on the condition that neither record nor heartbeat has changed since: who has seen
 * less than another changes nothing.
 */
export class Leases {
  private answered = performance.now();

  /** @param live Whether what is known is in step with Consul. */
  constructor(
    private readonly parts: Parts,
    private readonly reader: Reader,
    private readonly live: () => boolean,
  ) {}

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(SWEEP_MS, signal);
      if (!this.live()) continue;
      // Whoever follows the registry tells of its failures.
      await this.sweep(signal).catch((error: unknown) => {
        this.parts.logger.debug({ err: error }, 'leases could not be looked at');
      });
    }
  }

  /** Whether the others have had a heartbeat of it so lately that the next need not be written yet. */
  mayWait({ state, beatSeen }: Known): boolean {
    const ttl = state.kind === 'record' ? state.record.ttl : undefined;
    const wait = Math.min((ttl ?? Infinity) / 3, LONGEST_WAIT_MS);
    return this.live() && performance.now() - beatSeen < wait;
  }

  private async sweep(signal: AbortSignal): Promise<void> {
    const { client, layout, view } = this.parts;
    // Nothing ends while nobody answers, and the time in which nobody could renew is given back.
    await client.ping(layout.registry, AbortSignal.any([signal, AbortSignal.timeout(PING_DEADLINE_MS)]));
    const now = performance.now();
    if (now - this.answered > GAP_MS) view.prolong(now - this.answered);
    this.answered = now;
    const duties = [...view.serviceNames()].flatMap((name) => this.dutiesTo([...view.of(name)], now));
    await Promise.all(duties.map((duty) => this.perform(duty)));
    // However long that took, Consul was there.
    this.answered = performance.now();
  }

  private dutiesTo(service: readonly Known[], now: number): Duty[] {
    const over = service.every((known) => isForgotten(known, now));
    return service.flatMap((known) => this.dutyTo(known, over, now) ?? []);
  }

  /** @param over Whether nobody is left of its service, nor anybody whose removal is still to be told. */
  private dutyTo(known: Known, over: boolean, now: number): Duty | undefined {
    const { layout, view } = this.parts;
    const { key, state, index, beat, held } = known;
    if (state.kind === 'record' && known.deadline <= now) {
      const take = (at: number) => view.take(key, { index: at, value: () => ({ kind: 'removed', grave: EXPIRED }) });
      return { known, operations: expire(layout, known), done: (indexOf) => take(indexOf(layout.instance(key))) };
    }
    if (state.kind === 'record' && held !== undefined && beat && !this.mayWait(known)) {
      const late = { ...beat, age: now - held };
      const take = (at: number) => view.take(key, { index, value: () => state }, { index: at, value: late });
      const operations = put(layout, known, state.record, late);
      return { known, operations, done: (indexOf) => take(indexOf(layout.heartbeat(key))) };
    }
    if (!isForgotten(known, now)) return undefined;
    return { known, operations: clear(layout, known, over), done: () => view.drop(key) };
  }

  private async perform({ known, operations, done }: Duty): Promise<void> {
    const outcome = await this.parts.writer.commit(operations);
    if ('indexOf' in outcome) done(outcome.indexOf);
    else await this.reader.look(known.key);
  }
}

/** Removed so long ago that nobody has to be told any more. */
function isForgotten({ state, since }: Known, now: number): boolean {
  return state.kind === 'removed' && since + GRAVE_MS <= now;
}
