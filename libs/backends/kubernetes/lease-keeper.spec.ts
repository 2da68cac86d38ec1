import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { registered, silentLogger } from '#core';
import { registration } from '#core/testing';
import { LeaseForm } from './leases.js';
import { LeaseKeeper } from './lease-keeper.js';
import { nameOf } from './objects.js';

/** A heartbeat is written when a third of it is over. */
const TTL = 1_500;
/** Longer than a tick, and shorter than what counts as having stood still. */
const BUSY_MS = 400;

const form = new LeaseForm('test', 'default');
let expired: (slot: string) => void;
let keeper: LeaseKeeper;

beforeEach(() => {
  keeper = new LeaseKeeper(
    form,
    {
      renew: async () => undefined,
      expire: async (slot) => expired(slot),
      bury: async () => undefined,
      probe: async () => undefined,
      lastHeard: () => performance.now(),
      isLive: () => true,
    },
    silentLogger,
  );
  keeper.start();
});
afterEach(() => keeper.stop());

function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

it.each(['a registration', 'a heartbeat'])(
  'a lease that %s begins between two ticks lasts as long as it should',
  async (what) => {
    const record = registered(undefined, registration({ ttl: TTL }), 'test', Date.now());
    const { metadata, ...rest } = form.changed(undefined, record, new Date());
    const lease = { ...rest, metadata: { ...metadata, resourceVersion: '1' } };
    const ended = new Promise<string>((resolve) => (expired = resolve));
    if (what === 'a heartbeat') keeper.changed(undefined, lease);
    busy(BUSY_MS);
    if (what === 'a heartbeat') keeper.beat(nameOf(lease), new Date());
    else keeper.changed(undefined, lease);
    const began = performance.now();
    expect(await ended).toBe(nameOf(lease));
    // A tick and a timer are whole milliseconds.
    expect(performance.now() - began).toBeGreaterThanOrEqual(TTL - 2);
  },
  20_000,
);
