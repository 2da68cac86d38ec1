import { describe, expect, it } from '@jest/globals';
import { compareVersions, statusOf, type Registrar } from '../../index.js';
import { actor, KEY, pass, type Trial } from './trial.js';

export function changingContract(trial: Trial): void {
  describe('renewing and changing', () => {
    it('renews without a new version, and says when', async () => {
      const { instance } = await trial.register();
      const renewed = await trial.registrar.renew(KEY, { loadPercentage: 0.5, activeConnections: 3 }, { actor });
      expect(renewed.version).toBe(instance.version);
      expect(renewed.vitals).toMatchObject({ loadPercentage: 0.5, activeConnections: 3 });
      expect(renewed.vitals.lastHeartbeat).toBeGreaterThanOrEqual(instance.registeredAt);
      expect(Number.isInteger(renewed.vitals.lastHeartbeat)).toBe(true);
      expect(renewed.key).toEqual(KEY);
    });

    it('tells a load again as the old one that it is', async () => {
      await trial.register();
      const told = await trial.registrar.renew(KEY, { loadPercentage: 0.5 }, { actor });
      await pass(5);
      const { vitals } = await trial.registrar.renew(KEY, {}, { actor });
      if (vitals.loadPercentage === undefined) return;
      expect(vitals.loadAt ?? vitals.lastHeartbeat).toBeLessThanOrEqual(told.vitals.lastHeartbeat!);
    });

    it('takes status and metadata from a heartbeat', async () => {
      const { instance } = await trial.register({ metadata: { a: '1', b: '2' } });
      const renewed = await trial.registrar.renew(
        KEY,
        { status: 'critical', metadata: { a: null, c: '3' } },
        { actor },
      );
      expect(compareVersions(renewed.version, instance.version)).toBeGreaterThan(0);
      expect(renewed.instance).toMatchObject({ version: renewed.version, reported: 'critical' });
      expect(await trial.find(KEY)).toMatchObject({ reported: 'critical', metadata: { b: '2', c: '3' } });
      expect((await trial.find(KEY))?.metadata).not.toHaveProperty('a');
    });

    it('patches tags, metadata and weight', async () => {
      await trial.register({ tags: ['a'], metadata: { a: '1' }, weight: 7 });
      await trial.registrar.update(
        KEY,
        { kind: 'patch', tags: ['b'], metadata: { b: '2' }, weight: null },
        { actor: 'patcher' },
      );
      const found = await trial.find(KEY);
      expect(found).toMatchObject({
        tags: ['b'],
        metadata: { a: '1', b: '2' },
        changed: { cause: 'updated', actor: 'patcher' },
      });
      expect(found).not.toHaveProperty('weight');
    });

    it('sets and ends maintenance', async () => {
      await trial.register();
      await trial.registrar.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
      expect(statusOf((await trial.find(KEY))!)).toBe('maintenance');
      await trial.registrar.update(KEY, { kind: 'maintenance' }, { actor });
      expect(statusOf((await trial.find(KEY))!)).toBe('passing');
    });

    it('takes the word of the one who has seen the newest version, and no other', async () => {
      const { instance } = await trial.register();
      const critical = await trial.registrar.update(
        KEY,
        { kind: 'probe', status: 'critical' },
        { actor, ifVersion: instance.version },
      );
      const late = { actor, ifVersion: instance.version };
      await expect(trial.registrar.update(KEY, { kind: 'probe', status: 'passing' }, late)).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      await expect(trial.registrar.deregister(KEY, { ...late, cause: 'evicted' })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(await trial.find(KEY)).toMatchObject({ probed: 'critical', version: critical.version });
    });

    it('says that what it does not know is not found', async () => {
      const unknown = { serviceName: 'nobody', serviceId: 'none' };
      const notFound = { code: 'NOT_FOUND' };
      await expect(trial.registrar.renew(unknown, {}, { actor })).rejects.toMatchObject(notFound);
      await expect(trial.registrar.update(unknown, { kind: 'patch', tags: [] }, { actor })).rejects.toMatchObject(
        notFound,
      );
      await expect(trial.registrar.update(unknown, { kind: 'patch' }, { actor, ifVersion: '1' })).rejects.toMatchObject(
        notFound,
      );
      await expect(trial.registrar.deregister(unknown, { actor, cause: 'deregistered' })).rejects.toMatchObject(
        notFound,
      );
    });

    it('loses no change of many at once', async () => {
      await trial.register();
      await changeAtOnce(trial, [trial.registrar]);
    }, 30_000);

    it('tells a watch the versions of an instance in order', async () => {
      const watcher = trial.watch();
      const { instance } = await trial.register();
      let last = instance;
      for (let i = 0; i < 10; i++) {
        last = await trial.registrar.update(KEY, { kind: 'patch', metadata: { i: String(i) } }, { actor });
      }
      await watcher.until('the last change', () => watcher.get(KEY)?.version === last.version);
      const versions = watcher.events.flatMap((event) => (event.kind === 'upsert' ? [event.instance.version] : []));
      expect(versions).toEqual([...versions].sort(compareVersions));
      expect(watcher.get(KEY)?.metadata).toEqual({ i: '9' });
    });

    it('tells nothing when a change changes nothing', async () => {
      await trial.register();
      const watcher = await trial.watching();
      const weighed = await trial.registrar.update(KEY, { kind: 'patch', weight: 7 }, { actor });
      await watcher.until('the change', () => watcher.get(KEY)?.version === weighed.version);
      const seen = watcher.events.length;
      const again = await trial.registrar.update(KEY, { kind: 'patch', weight: 7 }, { actor });
      expect(again.version).toBe(weighed.version);
      const { instance: last } = await trial.register({ serviceId: 'last' });
      await watcher.until('the last', () => watcher.get(last) !== undefined);
      expect(watcher.events.slice(seen)).toMatchObject([{ kind: 'upsert', instance: { serviceId: 'last' } }]);
    });
  });
}

/** Twenty changes of one instance, dealt out to these: each of them must be found. */
export async function changeAtOnce(trial: Trial, registrars: readonly Registrar[]): Promise<void> {
  const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
  const changed = await Promise.all(
    keys.map((key, i) =>
      registrars[i % registrars.length]!.update(KEY, { kind: 'patch', metadata: { [key]: 'set' } }, { actor }),
    ),
  );
  const found = await trial.find(KEY);
  expect(Object.keys(found!.metadata).sort()).toEqual([...keys].sort());
  expect(found!.version).toBe(
    changed
      .map(({ version }) => version)
      .sort(compareVersions)
      .at(-1),
  );
}
