import { z } from 'zod';
import {
  asBackendError,
  BackendError,
  decodeRecord,
  encodeRecord,
  keyText,
  REMOVAL_CAUSES,
  type Actor,
  type InstanceKey,
  type InstanceRecord,
  type RemovalCause,
  type Vitals,
} from '#core';

/** The form of what is not a record: a removal, a heartbeat. */
const FORMAT = 1;

/** Why and by whom an instance was removed: what lies in the place of its record for a while. */
export interface Grave {
  readonly cause: RemovalCause;
  readonly actor: Actor;
}

/** What lies under an instance's key. */
export type State =
  | { readonly kind: 'record'; readonly record: InstanceRecord }
  | { readonly kind: 'removed'; readonly grave: Grave }
  | { readonly kind: 'unreadable'; readonly error: BackendError };

/** A heartbeat as its instance meant it, and how long before it was written (milliseconds). */
export interface Beat {
  readonly vitals: Vitals;
  readonly age: number;
}

const removal = z.object({ removed: z.object({ cause: z.enum(REMOVAL_CAUSES), actor: z.string() }) });
const time = z.int().nonnegative();
const beat = z.object({
  at: time,
  age: z.number().nonnegative().default(0),
  loadPercentage: z.number().optional(),
  loadAt: time.optional(),
  activeConnections: z.number().optional(),
});

export function encodeState(record: InstanceRecord): string {
  return base64(encodeRecord(record));
}

export function encodeGrave(grave: Grave): string {
  return base64({ v: FORMAT, removed: grave });
}

export function decodeState(key: InstanceKey, value: string | null): State {
  try {
    const stored: unknown = JSON.parse(value ?? '');
    const grave = removal.safeParse(stored);
    if (grave.success) return { kind: 'removed', grave: grave.data.removed };
    const record = decodeRecord(stored);
    if (keyText(record) !== keyText(key)) throw new BackendError('INVALID', `is the record of ${keyText(record)}`);
    return { kind: 'record', record };
  } catch (error) {
    const reason = asBackendError(error).message;
    return {
      kind: 'unreadable',
      error: new BackendError('CONFLICT', `what is stored for ${keyText(key)} cannot be read: ${reason}`),
    };
  }
}

export function encodeBeat({ vitals: { lastHeartbeat, ...rest }, age }: Beat): string {
  return base64({ v: FORMAT, at: lastHeartbeat, age, ...rest });
}

/** What cannot be read says that there was a heartbeat, and no more. */
export function decodeBeat(value: string | null): Beat {
  const { data } = beat.safeParse(parsed(value));
  if (!data) return { vitals: {}, age: 0 };
  const { at, age, ...rest } = data;
  return { vitals: { lastHeartbeat: at, ...rest }, age };
}

/** Undefined for what is no JSON. */
export function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** As transactions take values. */
export function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
