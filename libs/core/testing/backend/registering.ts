import { describe, expect, it } from '@jest/globals';
import { compareVersions, keyOf, keyText, statusOf } from '../../index.js';
import { declared, FULL, HOSTILE, registration } from '../registrations.js';
import { actor, KEY, type Trial } from './trial.js';

export function registeringContract(trial: Trial): void {
  describe('registering', () => {
    it('shows a registration in the list and in the watch, at one version', async () => {
      const watcher = trial.watch();
      const { instance, created } = await trial.register();
      expect(created).toBe(true);
      expect(statusOf(instance)).toBe('passing');
      expect(instance.changed).toMatchObject({ cause: 'registered', actor });
      await watcher.until('the instance', () => watcher.get(KEY)?.version === instance.version);
      expect((await trial.find(KEY))?.version).toBe(instance.version);
    });

    it('brings back every field as it was given', async () => {
      const { status, ...given } = FULL;
      const { instance } = await trial.registrar.register(FULL, { actor });
      expect(statusOf(instance)).toBe(status);
      expect(declared(instance)).toEqual(given);
      const listed = await trial.find(FULL);
      expect(declared(listed)).toEqual(given);
      expect(listed).toMatchObject({ probed: 'warning', reported: 'passing', registeredAt: instance.registeredAt });
    });

    it('brings back unicode, long and hostile values', async () => {
      const given = HOSTILE.map((over) => registration(over));
      for (const each of given) {
        const { instance } = await trial.registrar.register(each, { actor });
        expect(declared(instance)).toEqual(each);
      }
      const listed = new Map((await trial.backend.list()).instances.map((each) => [keyText(each), declared(each)]));
      expect(listed).toEqual(new Map(given.map((each) => [keyText(each), each])));
      for (const each of given) await trial.registrar.deregister(keyOf(each), { actor, cause: 'deregistered' });
      expect((await trial.backend.list()).instances).toEqual([]);
    });

    it('replaces an instance that registers again, and keeps what outlives that', async () => {
      const first = await trial.register({ tags: ['old'], metadata: { a: '1' }, registeredBy: 'first' });
      await trial.registrar.update(KEY, { kind: 'maintenance', maintenance: { reason: 'upgrade' } }, { actor });
      const { instance, created } = await trial.register({ tags: ['new'], port: 9090, registeredBy: 'second' });
      expect(created).toBe(false);
      expect(instance).toMatchObject({ tags: ['new'], metadata: {}, port: 9090, maintenance: { reason: 'upgrade' } });
      expect(instance.registeredAt).toBe(first.instance.registeredAt);
      expect(compareVersions(instance.version, first.instance.version)).toBeGreaterThan(0);
      const kept = { maintenance: { reason: 'upgrade' }, registeredBy: 'first' };
      expect(await trial.find(KEY)).toMatchObject({ port: 9090, ...kept });
    });

    it('makes no new version of the same registration', async () => {
      const first = await trial.register();
      const again = await trial.register();
      expect(again.created).toBe(false);
      expect(again.instance.version).toBe(first.instance.version);
    });

    it('keeps instances of one id in two services apart', async () => {
      await trial.register({ serviceName: 'one', serviceId: 'same' });
      await trial.register({ serviceName: 'two', serviceId: 'same' });
      await trial.registrar.deregister({ serviceName: 'one', serviceId: 'same' }, { actor, cause: 'deregistered' });
      expect((await trial.backend.list()).instances.map(keyText)).toEqual(['two/same']);
    });

    it('takes 1,000 registrations at once', async () => {
      const watcher = trial.watch();
      const given = Array.from({ length: 1_000 }, (_, i) =>
        registration({ serviceName: `service-${i % 100}`, serviceId: `instance-${i}` }),
      );
      const results = await Promise.all(given.map((each) => trial.registrar.register(each, { actor })));
      expect(results.every((result) => result.created)).toBe(true);
      expect((await trial.backend.list()).instances).toHaveLength(1_000);
      await watcher.until('all of them', () => watcher.instances.size === 1_000, 30_000);
    }, 60_000);

    it('refuses what would break a limit, and keeps what was there', async () => {
      await trial.register();
      const metadata = Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`k${i}`, 'v']));
      await expect(trial.register({ metadata })).rejects.toMatchObject({
        code: 'INVALID',
      });
      await expect(trial.registrar.update(KEY, { kind: 'patch', metadata }, { actor })).rejects.toMatchObject({
        code: 'INVALID',
      });
      expect((await trial.find(KEY))?.metadata).toEqual({});
    });

    it('refuses a registration for a version that is not there', async () => {
      const conflict = { code: 'CONFLICT' };
      await expect(trial.registrar.register(registration(), { actor, ifVersion: '1' })).rejects.toMatchObject(conflict);
      expect(await trial.find(KEY)).toBeUndefined();
      const { instance } = await trial.register();
      const second = await trial.registrar.register(registration({ port: 2 }), { actor, ifVersion: instance.version });
      const late = { actor, ifVersion: instance.version };
      await expect(trial.registrar.register(registration({ port: 3 }), late)).rejects.toMatchObject(conflict);
      expect(await trial.find(KEY)).toMatchObject({ port: 2, version: second.instance.version });
    });

    it('keeps instances apart whose ids differ in case only', async () => {
      for (const serviceId of ['case', 'Case', 'CASE']) await trial.register({ serviceId });
      await trial.registrar.deregister({ serviceName: 'api', serviceId: 'Case' }, { actor, cause: 'deregistered' });
      expect((await trial.backend.list()).instances.map(({ serviceId }) => serviceId).sort()).toEqual(['CASE', 'case']);
    });
  });
}
