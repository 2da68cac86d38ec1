import type { IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3';
import { asBackendError, BackendError, type InstanceKey, type Version } from '#core';
import type { Connection } from './connection.js';
import { isRefusal } from './errors.js';
import type { Layout, LeaseId, Stored } from './layout.js';
import { encodeNotes, type Removed } from './removals.js';

/** etcd takes 128 operations in a transaction, with those of the transactions inside it. */
const MOST_AT_ONCE = 64;
const MOST_BYTES = 512 * 1024;
const MOST_WAITING = 10_000;

interface Put {
  readonly value: Buffer;
  /** Absent: the one that it has. */
  readonly lease?: LeaseId;
}

/** What becomes of one instance's key, if it is still at this version. */
export interface Change {
  readonly key: InstanceKey;
  /** `0`: if it is not there. */
  readonly ifVersion: Version;
  readonly to: Put | Omit<Removed, 'key'>;
}

export type Outcome =
  | { readonly done: true; readonly version: Version }
  /** Somebody was faster. */
  | { readonly done: false; readonly found: Stored | undefined };

interface Waiting {
  readonly change: Change;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits changes of instances, each by itself atomic and independent of the others. Those that come while a
 * transaction is on its way go together in the next: one proposal to the cluster for many.
 */
export class Transactions {
  private readonly waiting: Waiting[] = [];
  private sending = false;

  constructor(
    private readonly connection: Connection,
    private readonly layout: Layout,
  ) {}

  /**
   * Whoever waits no more when the turn comes is left out.
   * @throws BackendError
   */
  async commit(change: Change, signal?: AbortSignal): Promise<Outcome> {
    if (this.waiting.length >= MOST_WAITING) throw new BackendError('BUSY', 'etcd does not keep up with the writes');
    return new Promise((resolve, reject) => {
      this.waiting.push({ change, signal, resolve, reject });
      if (!this.sending) void this.send();
    });
  }

  private async send(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0) {
      const batch = this.next();
      const [late, wanted] = [batch.filter(hasLeft), batch.filter((each) => !hasLeft(each))];
      for (const { reject, signal } of late) reject(asBackendError(signal!.reason));
      if (wanted.length > 0) await this.run(wanted);
    }
    this.sending = false;
  }

  private next(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.waiting) {
      bytes += 'value' in change.to ? change.to.value.length : 0;
      if (count > 0 && (count === MOST_AT_ONCE || bytes > MOST_BYTES)) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.transact(batch.map(({ change }) => change));
      batch.forEach(({ resolve }, i) => resolve(outcomes[i]!));
    } catch (error) {
      // What etcd refuses it refuses whole, for the sake of one among them.
      const oneOfMany = batch.length > 1 && error instanceof BackendError && isRefusal(error.cause);
      if (oneOfMany) await Promise.all(batch.map((each) => this.run([each])));
      else for (const { reject } of batch) reject(error);
    }
  }

  private async transact(changes: readonly Change[]): Promise<readonly Outcome[]> {
    const { client } = this.connection;
    const requests = changes.map((change) => this.request(change));
    const removed = changes.flatMap(({ key, to }) => ('cause' in to ? [{ key, ...to }] : []));
    const note = removed.length > 0 ? [{ request_put: { key: this.layout.note, value: encodeNotes(removed) } }] : [];
    const [alone] = requests;
    if (alone && requests.length === 1) {
      const { header, ...response } = await client.transact({ ...alone, success: [...alone.success, ...note] });
      return [this.outcome(response, header.revision)];
    }
    // Noting a removal that then does not happen does no harm.
    const nested = requests.map((request) => ({ request_txn: request }));
    const { header, responses } = await client.transact({ success: [...note, ...nested] });
    return responses.slice(note.length).map(({ response_txn }) => this.outcome(response_txn, header.revision));
  }

  private request({ key, ifVersion, to }: Change): Required<ITxnRequest> {
    const path = this.layout.pathOf(key);
    return {
      compare: [{ key: path, target: 'Mod', result: 'Equal', mod_revision: ifVersion }],
      success: ['cause' in to ? { request_delete_range: { key: path } } : putOf(path, to)],
      failure: [{ request_range: { key: path } }],
    };
  }

  private outcome({ succeeded, responses }: Pick<ITxnResponse, 'succeeded' | 'responses'>, version: Version): Outcome {
    if (succeeded) return { done: true, version };
    const [kv] = responses[0]!.response_range.kvs;
    return { done: false, found: kv && this.layout.stored(kv) };
  }
}

function hasLeft({ signal }: Waiting): boolean {
  return signal?.aborted === true;
}

function putOf(key: Buffer, { value, lease }: Put): IRequestOp {
  return { request_put: { key, value, ...(lease === undefined ? { ignore_lease: true } : { lease }) } };
}
