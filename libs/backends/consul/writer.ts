import { abortable, asBackendError, BackendError } from '#core';
import type { ConsulClient } from './client.js';
import { isRejected } from './errors.js';
import type { Operation, Refusal, TransactionAnswer } from './types.js';

/** At which index each of the caller's keys was stored; or what Consul does not do, and then it has done nothing. */
export type Outcome = { readonly indexOf: (key: string) => number } | { readonly refusals: readonly Refusal[] };

/** Consul's own limit. */
const MOST_OPERATIONS = 128;
/** Consul's is 512 KiB. */
const MOST_BYTES = 400 * 1_024;
/** Transactions under way at the same time. */
const AT_ONCE = 4;
const MOST_WAITING = 20_000;

interface Pending {
  readonly operations: readonly Operation[];
  readonly bytes: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: BackendError) => void;
  state: 'waiting' | 'begun' | 'abandoned';
}

/**
 * Writes what callers want done, each all or nothing. While transactions are under way the next callers
 * gather and share one: Consul makes one entry of its log of it.
 */
export class Writer {
  private readonly waiting: Pending[] = [];
  private underWay = 0;

  constructor(private readonly client: ConsulClient) {}

  /** @throws BackendError UNAVAILABLE, OUTCOME_UNKNOWN, BUSY */
  async commit(operations: readonly Operation[], signal?: AbortSignal): Promise<Outcome> {
    if (signal?.aborted) throw asBackendError(signal.reason);
    if (this.waiting.length >= MOST_WAITING) throw new BackendError('BUSY', 'consul does not keep up with the writes');
    const bytes = Buffer.byteLength(JSON.stringify(operations));
    let pending!: Pending;
    const outcome = new Promise<Outcome>((resolve, reject) => {
      pending = { operations, bytes, resolve, reject, state: 'waiting' };
    });
    this.waiting.push(pending);
    this.pump();
    try {
      return await abortable(outcome, signal);
    } catch (error) {
      if (pending.state === 'waiting') pending.state = 'abandoned';
      throw asBackendError(error, pending.state === 'begun' ? 'OUTCOME_UNKNOWN' : 'UNAVAILABLE');
    }
  }

  private pump(): void {
    while (this.underWay < AT_ONCE && this.waiting.length > 0) {
      this.underWay++;
      void this.send(this.gather()).finally(() => {
        this.underWay--;
        this.pump();
      });
    }
  }

  /** As many of those who wait as fit into one transaction. */
  private gather(): Pending[] {
    const batch: Pending[] = [];
    let [operations, bytes] = [0, 0];
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      operations += next.operations.length;
      bytes += next.bytes;
      if (batch.length > 0 && (operations > MOST_OPERATIONS || bytes > MOST_BYTES)) break;
      this.waiting.shift();
      if (next.state === 'abandoned') continue;
      next.state = 'begun';
      batch.push(next);
    }
    return batch;
  }

  private async send(batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.settle(batch, await this.client.transaction(batch.flatMap(({ operations }) => operations)));
    } catch (error) {
      // What Consul cannot take at all must not take others with it.
      if (batch.length > 1 && isRejected(error)) for (const each of batch) await this.send([each]);
      else for (const { reject } of batch) reject(asBackendError(error));
    }
  }

  /** Consul refuses all for the sake of one: the others go again. */
  private async settle(batch: readonly Pending[], { Results, Errors }: TransactionAnswer): Promise<void> {
    const refusals = Errors ?? [];
    if (refusals.length === 0) {
      const indexes = new Map((Results ?? []).flatMap(({ KV }) => (KV ? [[KV.Key, KV.ModifyIndex]] : [])));
      const indexOf = (key: string) => indexes.get(key) ?? 0;
      for (const { resolve } of batch) resolve({ indexOf });
      return;
    }
    const again: Pending[] = [];
    let first = 0;
    for (const pending of batch) {
      const last = first + pending.operations.length;
      const own = refusals.filter(({ OpIndex }) => OpIndex >= first && OpIndex < last);
      if (own.length > 0) pending.resolve({ refusals: own });
      else again.push(pending);
      first = last;
    }
    await this.send(again);
  }
}
