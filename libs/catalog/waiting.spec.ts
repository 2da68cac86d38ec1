import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keyOf } from '#core';
import { settled } from './testing/manual-clock.js';
import { instance, World } from './testing/world.js';

const NEVER = new AbortController().signal;
const SERVICES = ['api', 'web', 'db'] as const;

/** Whether it has resolved by now. */
async function resolved(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  await settled();
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('waiting for a change', () => {
  it('ends at once when there was one already, else with the next one of that service', async () => {
    const world = await World.with([instance('a', 1)]);
    const { catalog } = world;
    await catalog.changedAfter(catalog.revisionOf('api') - 1, 'api', NEVER);
    const api = catalog.changedAfter(catalog.revisionOf('api'), 'api', NEVER);
    const anything = catalog.changedAfter(catalog.revision, undefined, NEVER);
    catalog.apply({ kind: 'upsert', instance: instance('w', 11, { serviceName: 'web' }) });
    expect(await resolved(anything)).toBe(true);
    expect(await resolved(api)).toBe(false);
    catalog.apply({ kind: 'upsert', instance: instance('b', 12) });
    expect(await resolved(api)).toBe(true);
  });

  it('ends when the caller goes, and forgets it', async () => {
    const { catalog } = await World.with([]);
    const gone = new AbortController();
    const waiting = catalog.changedAfter(catalog.revision, 'api', gone.signal);
    expect(catalog.waiting).toBe(1);
    gone.abort();
    await waiting;
    await catalog.changedAfter(catalog.revision, 'api', gone.signal);
    expect(catalog.waiting).toBe(0);
  });

  it('is refused to too many', async () => {
    const { catalog } = await World.with([], { maxWaiters: 2 });
    const waiting = [1, 2].map(() => catalog.changedAfter(catalog.revision, 'api', NEVER));
    await expect(catalog.changedAfter(catalog.revision, 'api', NEVER)).rejects.toMatchObject({ code: 'BUSY' });
    await expect(catalog.reached(catalog.revision + 1, NEVER)).rejects.toMatchObject({ code: 'BUSY' });
    catalog.apply({ kind: 'upsert', instance: instance('a', 11) });
    await Promise.all(waiting);
    expect(catalog.waiting).toBe(0);
  });

  it('sees the end of a service, and its return', async () => {
    const { catalog } = await World.with([instance('a', 1)]);
    const before = catalog.revisionOf('api');
    const gone = catalog.changedAfter(before, 'api', NEVER);
    catalog.apply({ kind: 'remove', key: keyOf(instance('a', 1)), version: '11', cause: 'deregistered' });
    await gone;
    expect(catalog.revisionOf('api')).toBe(before + 1);
    expect(catalog.revisionOf('never there')).toBe(0);
    catalog.apply({ kind: 'upsert', instance: instance('a', 12) });
    expect(catalog.revisionOf('api')).toBe(before + 2);
  });

  it('misses no change, whoever waits for what and when', async () => {
    const step = fc.record({
      kind: fc.constantFrom('upsert', 'remove', 'wait', 'wait for anything', 'turn'),
      service: fc.constantFrom(...SERVICES),
      id: fc.constantFrom('a', 'b'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { catalog } = new World();
        const waiters: { scope: string | undefined; since: number; done: boolean }[] = [];
        let version = 1;
        for (const { kind, service, id } of steps) {
          const changed = instance(id, ++version, { serviceName: service });
          if (kind === 'upsert') catalog.apply({ kind: 'upsert', instance: changed });
          else if (kind === 'remove')
            catalog.apply({ kind: 'remove', key: keyOf(changed), version: String(version), cause: 'deregistered' });
          else if (kind === 'turn') await settled();
          else {
            const scope = kind === 'wait' ? service : undefined;
            const waiter = { scope, since: catalog.revisionOf(scope), done: false };
            waiters.push(waiter);
            void catalog.changedAfter(waiter.since, scope, NEVER).then(() => (waiter.done = true));
          }
        }
        await settled();
        for (const { scope, since, done } of waiters) expect(done).toBe(catalog.revisionOf(scope) > since);
        await catalog.stop();
      }),
    );
  });
});

describe('revisions', () => {
  it('are waited for', async () => {
    const { catalog } = await World.with([]);
    const wanted = catalog.revision + 2;
    const reached = catalog.reached(wanted, NEVER);
    catalog.apply({ kind: 'upsert', instance: instance('a', 11) });
    expect(await resolved(reached)).toBe(false);
    catalog.apply({ kind: 'upsert', instance: instance('b', 12) });
    expect(await reached).toBe(true);
    expect(await catalog.reached(wanted, AbortSignal.abort())).toBe(true);
    expect(await catalog.reached(wanted + 1, AbortSignal.abort())).toBe(false);
  });

  it('say nothing of another process', () => {
    expect(new World().catalog.epoch).not.toBe(new World().catalog.epoch);
  });
});
