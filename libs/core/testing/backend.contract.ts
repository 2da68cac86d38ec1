import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  compareVersions,
  keyOf,
  keyText,
  statusOf,
  type InstanceKey,
  type Registrar,
  type RegistryBackend,
  type ServiceInstance,
} from '../index.js';
import { declared, FULL, HOSTILE, registration } from './registrations.js';
import { Watcher } from './watcher.js';

/** One registry, empty at first, that a backend is tried on. */
export interface BackendFixture {
  /** A further, independent backend on the same registry, not yet started. Called once only where `replicas` is false. */
  backend(): Promise<RegistryBackend>;
  /** Cuts the watches of every backend made here, does something meanwhile, and mends them. Absent: it has no connection to lose. */
  readonly gap?: (meanwhile: () => Promise<void>) => Promise<void>;
  /** Removes everything that was made. */
  close(): Promise<void>;
}

export interface BackendContractOptions {
  readonly name: string;
  readonly open: () => Promise<BackendFixture>;
  /** The shortest lease this registry can grant, milliseconds. */
  readonly shortestTtl?: number;
}

const actor = 'contract';
const KEY: InstanceKey = keyOf(registration());

/** What every backend must do, as callers see it. */
export function backendContract({ name, open, shortestTtl = 1_000 }: BackendContractOptions): void {
  describe(`backend contract: ${name}`, () => {
    let fixture: BackendFixture;
    let backend: RegistryBackend;
    let registrar: Registrar;
    let watchers: Watcher[];
    let backends: RegistryBackend[];

    async function another(): Promise<RegistryBackend> {
      const made = await fixture.backend();
      backends.push(made);
      await made.start();
      return made;
    }

    function watch(of: RegistryBackend = backend): Watcher {
      const watcher = new Watcher(of);
      watchers.push(watcher);
      return watcher;
    }

    async function find(key: InstanceKey): Promise<ServiceInstance | undefined> {
      return (await backend.list()).instances.find((instance) => keyText(instance) === keyText(key));
    }

    beforeEach(async () => {
      watchers = [];
      backends = [];
      fixture = await open();
      backend = await another();
      if (!backend.registrar) throw new Error(`${name} has no registrar: the contract writes`);
      registrar = backend.registrar;
    });

    afterEach(async () => {
      await Promise.all(watchers.map((watcher) => watcher.stop()));
      await Promise.all(backends.map((each) => each.stop()));
      await fixture.close();
    });

    describe('reading', () => {
      it('answers a ping', async () => {
        await expect(backend.ping(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
      });

      it('lists nothing when there is nothing', async () => {
        expect((await backend.list()).instances).toEqual([]);
      });

      it('refuses to list for a caller that has gone', async () => {
        await expect(backend.list(AbortSignal.abort())).rejects.toThrow();
      });

      it('begins a watch with a snapshot, even when it is empty', async () => {
        const watcher = watch();
        await watcher.until('a first event', () => watcher.events.length > 0);
        expect(watcher.events[0]).toMatchObject({ kind: 'snapshot', instances: [] });
      });

      it('begins a watch with all that is there', async () => {
        await registrar.register(registration(), { actor });
        const watcher = watch();
        await watcher.until('a first event', () => watcher.events.length > 0);
        const [first] = watcher.events;
        if (first?.kind !== 'snapshot') throw new Error('no snapshot');
        expect(first.instances.map(keyText)).toEqual([keyText(KEY)]);
        expect(compareVersions(first.asOf, first.instances[0]!.version)).toBeGreaterThanOrEqual(0);
        expect(first.incarnation).toBe((await backend.list()).incarnation);
      });

      it('ends a watch when its reader aborts, and every watch when it stops', async () => {
        const aborted = watch();
        const stopped = watch();
        await aborted.until('a snapshot', () => aborted.events.length > 0);
        await stopped.until('a snapshot', () => stopped.events.length > 0);
        await aborted.stop();
        await backend.stop();
        await stopped.done;
        await backend.stop();
      });
    });

    describe('registering', () => {
      it('shows a registration in the list and in the watch, at one version', async () => {
        const watcher = watch();
        const { instance, created } = await registrar.register(registration(), { actor });
        expect(created).toBe(true);
        expect(statusOf(instance)).toBe('passing');
        expect(instance.changed).toMatchObject({ cause: 'registered', actor });
        await watcher.until('the instance', () => watcher.get(KEY)?.version === instance.version);
        expect((await find(KEY))?.version).toBe(instance.version);
      });

      it('brings back every field as it was given', async () => {
        const { status, ...given } = FULL;
        const { instance } = await registrar.register(FULL, { actor });
        expect(statusOf(instance)).toBe(status);
        expect(declared(instance)).toEqual(given);
        const listed = await find(FULL);
        expect(declared(listed)).toEqual(given);
        expect(listed).toMatchObject({ probed: 'warning', reported: 'passing', registeredAt: instance.registeredAt });
      });

      it('brings back unicode, long and hostile values', async () => {
        const given = HOSTILE.map((over) => registration(over));
        for (const each of given) {
          const { instance } = await registrar.register(each, { actor });
          expect(declared(instance)).toEqual(each);
        }
        const listed = new Map((await backend.list()).instances.map((each) => [keyText(each), declared(each)]));
        expect(listed).toEqual(new Map(given.map((each) => [keyText(each), each])));
        for (const each of given) await registrar.deregister(keyOf(each), { actor, cause: 'deregistered' });
        expect((await backend.list()).instances).toEqual([]);
      });

      it('replaces an instance that registers again, and keeps what outlives that', async () => {
        const first = await registrar.register(registration({ tags: ['old'], metadata: { a: '1' } }), { actor });
        await registrar.update(KEY, { kind: 'maintenance', maintenance: { reason: 'upgrade' } }, { actor });
        const { instance, created } = await registrar.register(registration({ tags: ['new'], port: 9090 }), { actor });
        expect(created).toBe(false);
        expect(instance).toMatchObject({ tags: ['new'], metadata: {}, port: 9090, maintenance: { reason: 'upgrade' } });
        expect(instance.registeredAt).toBe(first.instance.registeredAt);
        expect(compareVersions(instance.version, first.instance.version)).toBeGreaterThan(0);
        expect(await find(KEY)).toMatchObject({ port: 9090, maintenance: { reason: 'upgrade' } });
      });

      it('makes no new version of the same registration', async () => {
        const first = await registrar.register(registration(), { actor });
        const again = await registrar.register(registration(), { actor });
        expect(again.created).toBe(false);
        expect(again.instance.version).toBe(first.instance.version);
      });

      it('keeps instances of one id in two services apart', async () => {
        await registrar.register(registration({ serviceName: 'one', serviceId: 'same' }), { actor });
        await registrar.register(registration({ serviceName: 'two', serviceId: 'same' }), { actor });
        await registrar.deregister({ serviceName: 'one', serviceId: 'same' }, { actor, cause: 'deregistered' });
        expect((await backend.list()).instances.map(keyText)).toEqual(['two/same']);
      });

      it('takes 1,000 registrations at once', async () => {
        const watcher = watch();
        const given = Array.from({ length: 1_000 }, (_, i) =>
          registration({ serviceName: `service-${i % 100}`, serviceId: `instance-${i}` }),
        );
        const results = await Promise.all(given.map((each) => registrar.register(each, { actor })));
        expect(results.every((result) => result.created)).toBe(true);
        expect((await backend.list()).instances).toHaveLength(1_000);
        await watcher.until('all of them', () => watcher.instances.size === 1_000, 30_000);
      }, 60_000);

      it('refuses what would break a limit, and keeps what was there', async () => {
        await registrar.register(registration(), { actor });
        const metadata = Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`k${i}`, 'v']));
        await expect(registrar.register(registration({ metadata }), { actor })).rejects.toMatchObject({
          code: 'INVALID',
        });
        await expect(registrar.update(KEY, { kind: 'patch', metadata }, { actor })).rejects.toMatchObject({
          code: 'INVALID',
        });
        expect((await find(KEY))?.metadata).toEqual({});
      });
    });

    describe('renewing and changing', () => {
      it('renews without a new version, and says when', async () => {
        const { instance } = await registrar.register(registration(), { actor });
        const renewed = await registrar.renew(KEY, { loadPercentage: 0.5, activeConnections: 3 }, { actor });
        expect(renewed.version).toBe(instance.version);
        expect(renewed.vitals).toMatchObject({ loadPercentage: 0.5, activeConnections: 3 });
        expect(renewed.vitals.lastHeartbeat).toBeGreaterThanOrEqual(instance.registeredAt);
      });

      it('takes status and metadata from a heartbeat', async () => {
        const { instance } = await registrar.register(registration({ metadata: { a: '1', b: '2' } }), { actor });
        const renewed = await registrar.renew(KEY, { status: 'critical', metadata: { a: null, c: '3' } }, { actor });
        expect(compareVersions(renewed.version, instance.version)).toBeGreaterThan(0);
        expect(await find(KEY)).toMatchObject({ reported: 'critical', metadata: { b: '2', c: '3' } });
        expect((await find(KEY))?.metadata).not.toHaveProperty('a');
      });

      it('patches tags, metadata and weight', async () => {
        await registrar.register(registration({ tags: ['a'], metadata: { a: '1' }, weight: 7 }), { actor });
        await registrar.update(
          KEY,
          { kind: 'patch', tags: ['b'], metadata: { b: '2' }, weight: null },
          { actor: 'patcher' },
        );
        const found = await find(KEY);
        expect(found).toMatchObject({
          tags: ['b'],
          metadata: { a: '1', b: '2' },
          changed: { cause: 'updated', actor: 'patcher' },
        });
        expect(found).not.toHaveProperty('weight');
      });

      it('sets and ends maintenance', async () => {
        await registrar.register(registration(), { actor });
        await registrar.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
        expect(statusOf((await find(KEY))!)).toBe('maintenance');
        await registrar.update(KEY, { kind: 'maintenance' }, { actor });
        expect(statusOf((await find(KEY))!)).toBe('passing');
      });

      it('takes the word of the one who has seen the newest version, and no other', async () => {
        const { instance } = await registrar.register(registration(), { actor });
        const critical = await registrar.update(
          KEY,
          { kind: 'probe', status: 'critical' },
          { actor, ifVersion: instance.version },
        );
        const late = { actor, ifVersion: instance.version };
        await expect(registrar.update(KEY, { kind: 'probe', status: 'passing' }, late)).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        await expect(registrar.deregister(KEY, { ...late, cause: 'evicted' })).rejects.toMatchObject({
          code: 'CONFLICT',
        });
        expect(await find(KEY)).toMatchObject({ probed: 'critical', version: critical.version });
      });

      it('says that what it does not know is not found', async () => {
        const unknown = { serviceName: 'nobody', serviceId: 'none' };
        const notFound = { code: 'NOT_FOUND' };
        await expect(registrar.renew(unknown, {}, { actor })).rejects.toMatchObject(notFound);
        await expect(registrar.update(unknown, { kind: 'patch', tags: [] }, { actor })).rejects.toMatchObject(notFound);
        await expect(registrar.update(unknown, { kind: 'patch' }, { actor, ifVersion: '1' })).rejects.toMatchObject(
          notFound,
        );
        await expect(registrar.deregister(unknown, { actor, cause: 'deregistered' })).rejects.toMatchObject(notFound);
      });

      it('loses no change of many at once', async () => {
        await registrar.register(registration(), { actor });
        const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
        const changed = await Promise.all(
          keys.map((key) => registrar.update(KEY, { kind: 'patch', metadata: { [key]: 'set' } }, { actor })),
        );
        const found = await find(KEY);
        expect(Object.keys(found!.metadata).sort()).toEqual([...keys].sort());
        const newest = changed
          .map(({ version }) => version)
          .sort(compareVersions)
          .at(-1);
        expect(found!.version).toBe(newest);
      }, 30_000);

      it('tells a watch the versions of an instance in order', async () => {
        const watcher = watch();
        const { instance } = await registrar.register(registration(), { actor });
        let last = instance;
        for (let i = 0; i < 10; i++) {
          last = await registrar.update(KEY, { kind: 'patch', metadata: { i: String(i) } }, { actor });
        }
        await watcher.until('the last change', () => watcher.get(KEY)?.version === last.version);
        const versions = watcher.events.flatMap((event) => (event.kind === 'upsert' ? [event.instance.version] : []));
        expect(versions).toEqual([...versions].sort(compareVersions));
        expect(watcher.get(KEY)?.metadata).toEqual({ i: '9' });
      });
    });

    describe('leaving', () => {
      it('removes what is deregistered, and tells whose doing it was', async () => {
        const watcher = watch();
        const { instance } = await registrar.register(registration(), { actor });
        await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
        const removal = await registrar.deregister(KEY, { actor: 'leaver', cause: 'deregistered' });
        expect(removal.key).toEqual(KEY);
        expect(compareVersions(removal.version, instance.version)).toBeGreaterThan(0);
        await watcher.until('the removal', () => watcher.get(KEY) === undefined);
        expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'deregistered', actor: 'leaver' });
        await expect(registrar.deregister(KEY, { actor, cause: 'deregistered' })).rejects.toMatchObject({
          code: 'NOT_FOUND',
        });
      });

      it('tells an eviction from a deregistration', async () => {
        const watcher = watch();
        const { instance } = await registrar.register(registration(), { actor });
        await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
        await registrar.deregister(KEY, { actor, cause: 'evicted', ifVersion: instance.version });
        await watcher.until('the removal', () => watcher.get(KEY) === undefined);
        expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'evicted' });
      });

      it('gives an instance that comes back a version newer than its end', async () => {
        await registrar.register(registration(), { actor });
        const removal = await registrar.deregister(KEY, { actor, cause: 'deregistered' });
        const { instance, created } = await registrar.register(registration(), { actor });
        expect(created).toBe(true);
        expect(compareVersions(instance.version, removal.version)).toBeGreaterThan(0);
      });

      it('ends an instance whose lease runs out, says so, and keeps one that is renewed or has none', async () => {
        const watcher = watch();
        const silent = registration({ serviceId: 'silent', ttl: shortestTtl });
        const alive = registration({ serviceId: 'alive', ttl: shortestTtl });
        const { ttl: _, ...lasting } = registration({ serviceId: 'lasting' });
        const begun = Date.now();
        for (const each of [silent, alive, lasting]) await registrar.register(each, { actor });
        await watcher.until('all three', () => watcher.instances.size === 3);
        const renewals = setInterval(
          () => void registrar.renew(keyOf(alive), {}, { actor }).catch(() => undefined),
          shortestTtl / 3,
        );
        try {
          await watcher.until('the expiry', () => watcher.get(silent) === undefined, shortestTtl + 10_000);
          expect(Date.now() - begun).toBeGreaterThanOrEqual(shortestTtl * 0.9);
          expect(watcher.removals(silent).at(-1)).toMatchObject({ cause: 'expired' });
          expect((await backend.list()).instances.map((each) => each.serviceId).sort()).toEqual(['alive', 'lasting']);
        } finally {
          clearInterval(renewals);
        }
      }, 30_000);

      it('brings nothing back by a late heartbeat or status', async () => {
        const { instance } = await registrar.register(registration(), { actor });
        await registrar.deregister(KEY, { actor, cause: 'deregistered' });
        const notFound = { code: 'NOT_FOUND' };
        await expect(
          registrar.renew(KEY, { status: 'passing', metadata: { a: '1' } }, { actor }),
        ).rejects.toMatchObject(notFound);
        await expect(registrar.update(KEY, { kind: 'probe', status: 'passing' }, { actor })).rejects.toMatchObject(
          notFound,
        );
        await expect(
          registrar.update(KEY, { kind: 'probe', status: 'passing' }, { actor, ifVersion: instance.version }),
        ).rejects.toMatchObject(notFound);
        expect(await find(KEY)).toBeUndefined();
      });

      it('brings nothing back by heartbeats and changes that race with the end', async () => {
        for (let round = 0; round < 20; round++) {
          await registrar.register(registration(), { actor });
          await Promise.allSettled([
            registrar.renew(KEY, { metadata: { round: String(round) } }, { actor }),
            registrar.update(KEY, { kind: 'probe', status: 'warning' }, { actor }),
            registrar.deregister(KEY, { actor, cause: 'deregistered' }),
            registrar.renew(KEY, {}, { actor }),
            registrar.update(KEY, { kind: 'patch', tags: [String(round)] }, { actor }),
          ]);
          expect(await find(KEY)).toBeUndefined();
        }
      }, 30_000);
    });

    describe('watching through trouble', () => {
      it('brings a reader that slept to the newest state', async () => {
        const aborter = new AbortController();
        const stream = backend.watch(aborter.signal)[Symbol.asyncIterator]();
        expect((await stream.next()).value).toMatchObject({ kind: 'snapshot' });
        await registrar.register(registration(), { actor });
        for (let i = 0; i < 200; i++)
          await registrar.update(KEY, { kind: 'patch', metadata: { i: String(i) } }, { actor });
        const gone = registration({ serviceId: 'gone' });
        await registrar.register(gone, { actor });
        await registrar.deregister(keyOf(gone), { actor, cause: 'deregistered' });
        const last = registration({ serviceId: 'last' });
        await registrar.register(last, { actor });
        const seen = new Map<string, ServiceInstance>();
        for (let result = await stream.next(); !result.done && !seen.has(keyText(last));) {
          const event = result.value;
          if (event.kind === 'snapshot') seen.clear();
          if (event.kind === 'snapshot') for (const each of event.instances) seen.set(keyText(each), each);
          if (event.kind === 'upsert') seen.set(keyText(event.instance), event.instance);
          if (event.kind === 'remove') seen.delete(keyText(event.key));
          if (!seen.has(keyText(last))) result = await stream.next();
        }
        aborter.abort();
        await stream.return?.();
        expect(seen.get(keyText(KEY))?.metadata).toEqual({ i: '199' });
        expect(seen.has(keyText(gone))).toBe(false);
      }, 60_000);

      it('converges after a gap, deletions included', async () => {
        if (!fixture.gap) return;
        const watcher = watch();
        const writer = (await another()).registrar!;
        const leaving = registration({ serviceId: 'leaving' });
        const staying = registration({ serviceId: 'staying' });
        const coming = registration({ serviceId: 'coming' });
        await registrar.register(leaving, { actor });
        await registrar.register(staying, { actor });
        await watcher.until('both', () => watcher.instances.size === 2);
        await fixture.gap(async () => {
          await writer.deregister(keyOf(leaving), { actor, cause: 'deregistered' });
          await writer.update(keyOf(staying), { kind: 'patch', tags: ['changed'] }, { actor });
          await writer.register(coming, { actor });
        });
        await watcher.until(
          'the truth',
          () =>
            watcher.get(leaving) === undefined &&
            watcher.get(coming) !== undefined &&
            watcher.get(staying)?.tags[0] === 'changed',
          20_000,
        );
      }, 60_000);

      it('shows one client what another did', async () => {
        if (!backend.capabilities.replicas) return;
        const other = await another();
        const watcher = watch(other);
        await watcher.until('a snapshot', () => watcher.events.length > 0);
        await registrar.register(registration(), { actor });
        await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
        await other.registrar!.renew(KEY, { status: 'warning' }, { actor });
        await other.registrar!.deregister(KEY, { actor: 'other', cause: 'deregistered' });
        await watcher.until('the removal', () => watcher.get(KEY) === undefined);
        expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'deregistered', actor: 'other' });
        await expect(registrar.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }, 30_000);
    });
  });
}
