import { describe, expect, it } from '@jest/globals';
import { compareVersions } from '../../index.js';
import { actor, KEY, type Trial } from './trial.js';

export function leavingContract(trial: Trial): void {
  describe('leaving', () => {
    it('removes what is deregistered, and tells whose doing it was', async () => {
      const watcher = trial.watch();
      const { instance } = await trial.register();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      const removal = await trial.registrar.deregister(KEY, { actor: 'leaver', cause: 'deregistered' });
      expect(removal.key).toEqual(KEY);
      expect(compareVersions(removal.version, instance.version)).toBeGreaterThan(0);
      await watcher.until('the removal', () => watcher.get(KEY) === undefined);
      expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'deregistered', actor: 'leaver' });
      await expect(trial.registrar.deregister(KEY, { actor, cause: 'deregistered' })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });

    it('tells an eviction from a deregistration', async () => {
      const watcher = trial.watch();
      const { instance } = await trial.register();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await trial.registrar.deregister(KEY, { actor, cause: 'evicted', ifVersion: instance.version });
      await watcher.until('the removal', () => watcher.get(KEY) === undefined);
      expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'evicted' });
    });

    it('gives an instance that comes back a version newer than its end', async () => {
      await trial.register();
      const removal = await trial.registrar.deregister(KEY, { actor, cause: 'deregistered' });
      const { instance, created } = await trial.register();
      expect(created).toBe(true);
      expect(compareVersions(instance.version, removal.version)).toBeGreaterThan(0);
    });

    it('brings nothing back by a late heartbeat or status', async () => {
      const { instance } = await trial.register();
      await trial.registrar.deregister(KEY, { actor, cause: 'deregistered' });
      const notFound = { code: 'NOT_FOUND' };
      await expect(
        trial.registrar.renew(KEY, { status: 'passing', metadata: { a: '1' } }, { actor }),
      ).rejects.toMatchObject(notFound);
      await expect(trial.registrar.update(KEY, { kind: 'probe', status: 'passing' }, { actor })).rejects.toMatchObject(
        notFound,
      );
      await expect(
        trial.registrar.update(KEY, { kind: 'probe', status: 'passing' }, { actor, ifVersion: instance.version }),
      ).rejects.toMatchObject(notFound);
      expect(await trial.find(KEY)).toBeUndefined();
    });

    it('brings nothing back by heartbeats and changes that race with the end', async () => {
      for (let round = 0; round < 20; round++) {
        await trial.register();
        await Promise.allSettled([
          trial.registrar.renew(KEY, { metadata: { round: String(round) } }, { actor }),
          trial.registrar.update(KEY, { kind: 'probe', status: 'warning' }, { actor }),
          trial.registrar.deregister(KEY, { actor, cause: 'deregistered' }),
          trial.registrar.renew(KEY, {}, { actor }),
          trial.registrar.update(KEY, { kind: 'patch', tags: [String(round)] }, { actor }),
        ]);
        expect(await trial.find(KEY)).toBeUndefined();
      }
    }, 30_000);
  });
}
