import type { IEvent } from 'etcd3';
import { z } from 'zod';
import { keyText, REMOVAL_CAUSES, type Actor, type InstanceKey, type RemovalCause, type Version } from '#core';
import type { Client } from './client.js';
import { NO_LEASE, type Layout, type LeaseId } from './layout.js';
import { REGISTRY, type Known, type View } from './view.js';

/** The form of a note. */
const FORMAT = 1;

/** Why an instance was removed and by whom: written by the transaction that removes it. */
export interface Removed {
  readonly key: InstanceKey;
  readonly cause: RemovalCause;
  readonly actor: Actor;
}

export function encodeNotes(notes: readonly Removed[]): Buffer {
  const removals = notes.map(({ key, cause, actor }) => ({ key: keyText(key), cause, actor }));
  return Buffer.from(JSON.stringify({ v: FORMAT, removals }));
}

const stored = z.object({
  removals: z.array(z.object({ key: z.string(), cause: z.enum(REMOVAL_CAUSES), actor: z.string() })),
});

type Why = Pick<Removed, 'cause' | 'actor'>;
const EXPIRED: Why = { cause: 'expired', actor: REGISTRY };
const UNKNOWN: Why = { cause: 'unknown', actor: REGISTRY };

/**
 * Why each removal among these events happened: a note of the same revision says so; otherwise the lease has
 * ended, or it is still there and somebody has deleted the key past us.
 */
export async function removalsIn(
  events: readonly IEvent[],
  { layout, view, client }: { layout: Layout; view: View; client: Client },
): Promise<ReadonlyMap<IEvent, Removed>> {
  const noted = new Map(events.filter(({ kv }) => kv.key.equals(layout.note)).flatMap(notesIn));
  const leases = new Map<string, LeaseId>();
  const removals = new Map<IEvent, Removed>();
  const deletions = new Map<Version, number>();
  for (const { type, kv } of events) {
    if (type === 'Delete') deletions.set(kv.mod_revision, (deletions.get(kv.mod_revision) ?? 0) + 1);
  }
  await Promise.all(
    events.map(async (event) => {
      const key = layout.keyOf(event.kv.key);
      if (!key) return;
      const text = keyText(key);
      if (event.type === 'Put') {
        leases.set(text, event.kv.lease);
        return;
      }
      const noteOfIt = noted.get(noteId(event, text));
      // A lease takes one instance with it: those that went together were deleted.
      const byItself = deletions.get(event.kv.mod_revision) === 1;
      const why =
        noteOfIt ?? (byItself && (await hasEnded(view.get(key), leases.get(text), client)) ? EXPIRED : UNKNOWN);
      removals.set(event, { key, ...why });
    }),
  );
  return removals;
}

function notesIn(event: IEvent): [string, Why][] {
  if (event.type !== 'Put') return [];
  try {
    const { removals } = stored.parse(JSON.parse(event.kv.value.toString()));
    return removals.map(({ key, cause, actor }) => [noteId(event, key), { cause, actor }]);
  } catch {
    return [];
  }
}

function noteId({ kv }: IEvent, key: string): string {
  return `${kv.mod_revision} ${key}`;
}

/** When a lease was due, that is taken for the reason: etcd cannot be asked for each of thousands that end at once. */
async function hasEnded(known: Known | undefined, put: LeaseId | undefined, client: Client): Promise<boolean> {
  const lease = put ?? known?.lease ?? NO_LEASE;
  if (lease === NO_LEASE) return false;
  if (known?.lease === lease && known.deadline <= performance.now()) return true;
  return client.remaining(lease).then(
    (left) => left === undefined,
    () => false,
  );
}
