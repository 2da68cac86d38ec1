import { randomUUID } from 'node:crypto';
import type { InstanceKey, InstanceRecord } from '#core';
import type { Layout } from './layout.js';
import { hide, show } from './projection.js';
import { base64, encodeBeat, encodeGrave, encodeState, type Beat, type Grave } from './stored.js';
import type { Operation } from './types.js';
import { recordIn, type Known } from './view.js';

// What is written together. Each is done only if nobody has changed the record since it was found.

/** Stores a record, and a heartbeat if there was one. The very record that was found is not stored again. */
export function put(layout: Layout, found: Known | undefined, record: InstanceRecord, beat?: Beat): Operation[] {
  const Key = layout.instance(record);
  const Index = found?.index ?? 0;
  const previous = recordIn(found);
  const operations: Operation[] =
    record === previous
      ? [{ KV: { Verb: 'check-index', Key, Index } }]
      : [
          { KV: { Verb: 'cas', Key, Index, Value: encodeState(record) } },
          mark(layout, record),
          ...show(layout, record, previous),
        ];
  if (beat) operations.push({ KV: { Verb: 'set', Key: layout.heartbeat(record), Value: encodeBeat(beat) } });
  return operations;
}

/** Removes an instance, and leaves word of why. */
export function bury(layout: Layout, { key, index }: Known, grave: Grave): Operation[] {
  return [
    { KV: { Verb: 'cas', Key: layout.instance(key), Index: index, Value: encodeGrave(grave) } },
    { KV: { Verb: 'delete', Key: layout.heartbeat(key) } },
    mark(layout, key),
    hide(layout, key),
  ];
}

/** The grave of one whose lease has run out. */
export const EXPIRED: Grave = { cause: 'expired', actor: 'registry' };

/** Removes it unless there was a heartbeat since. */
export function expire(layout: Layout, known: Known): Operation[] {
  const Key = layout.heartbeat(known.key);
  const silent: Operation =
    known.beatIndex > 0
      ? { KV: { Verb: 'check-index', Key, Index: known.beatIndex } }
      : { KV: { Verb: 'check-not-exists', Key } };
  return [silent, ...bury(layout, known, EXPIRED)];
}

/** Clears a grave; where nothing else is left of the service, what there was of the service too. */
export function clear(layout: Layout, { key, index }: Known, over: boolean): Operation[] {
  const changes = layout.change(key.serviceName);
  return [
    { KV: { Verb: 'delete-cas', Key: layout.instance(key), Index: index } },
    over ? { KV: { Verb: 'delete', Key: changes } } : mark(layout, key),
  ];
}

/** Takes out of the catalog what has no record. */
export function hideUnrecorded(layout: Layout, key: InstanceKey): Operation[] {
  return [
    { KV: { Verb: 'check-not-exists', Key: layout.instance(key) } },
    { KV: { Verb: 'delete', Key: layout.heartbeat(key) } },
    hide(layout, key),
  ];
}

/** The same value again would not count as a change. */
function mark(layout: Layout, { serviceName }: InstanceKey): Operation {
  return { KV: { Verb: 'set', Key: layout.change(serviceName), Value: base64(randomUUID()) } };
}
