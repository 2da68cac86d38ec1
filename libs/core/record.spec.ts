import { describe, expect, it } from '@jest/globals';
import {
  decodeRecord,
  encodeRecord,
  registered,
  renewed,
  updated,
  type InstanceRecord,
  type JsonObject,
} from './index.js';
import { FULL } from './testing/registrations.js';

const RECORD = registered(undefined, { ...FULL, status: 'maintenance' }, 'owner', 1);

/** As a newer release might have stored it. */
function newer(): JsonObject {
  const stored = encodeRecord(RECORD);
  return {
    ...stored,
    future: { deep: [1] },
    check: { ...(stored.check as JsonObject), jitter: 0.5 },
    maintenance: { ...(stored.maintenance as JsonObject), until: 99 },
    changed: { ...(stored.changed as JsonObject), via: 'web' },
  };
}

const FUTURE = { future: { deep: [1] }, check: { jitter: 0.5 }, maintenance: { until: 99 } };

describe('a record of a newer release', () => {
  it('is written as it was read', () => {
    expect(encodeRecord(decodeRecord(newer()))).toEqual(newer());
  });

  const writes: Record<string, (record: InstanceRecord) => InstanceRecord> = {
    'a heartbeat': (record) => renewed(record, { status: 'critical' }, 'owner', 2),
    'a patch': (record) => updated(record, { kind: 'patch', tags: ['patched'] }, 'owner', 2),
    'a probe': (record) => updated(record, { kind: 'probe', status: 'critical' }, 'monitor', 2),
    'a registration': (record) => registered(record, { ...FULL, port: 1 }, 'owner', 2),
  };

  it.each(Object.entries(writes))('keeps what we do not know through %s', (_, write) => {
    const written = encodeRecord(write(decodeRecord(newer())));
    expect(written).toMatchObject(FUTURE);
    expect(written.changed).not.toHaveProperty('via');
  });

  it('keeps its status when the same thing registers again', () => {
    const before = decodeRecord({ ...newer(), probed: 'critical' });
    expect(registered(before, { ...FULL, status: undefined }, 'owner', 2)).toMatchObject({ probed: 'critical' });
  });

  it('keeps nothing of a check that is gone', () => {
    const { check: _check, ...unchecked } = FULL;
    expect(registered(decodeRecord(newer()), unchecked, 'owner', 2)).not.toHaveProperty('check');
  });

  it('brings no prototype with it', () => {
    const text = JSON.stringify(newer()).replace('"jitter"', '"__proto__":{"interval":1},"jitter"');
    const { check } = decodeRecord(JSON.parse(text));
    expect(Object.getPrototypeOf(check)).toBe(Object.prototype);
    expect(check).toMatchObject({ interval: 10_000, jitter: 0.5 });
  });
});
