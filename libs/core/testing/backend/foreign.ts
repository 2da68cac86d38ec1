import { describe, expect, it } from '@jest/globals';
import { actor, KEY, type Trial } from './trial.js';

/** What somebody does to our records past us. */
export function foreignContract(trial: Trial): void {
  describe('a foreign hand', () => {
    it('removes, and nobody says why', async () => {
      const watcher = await trial.watching();
      await trial.register();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await trial.fixture.foreign!.remove(KEY);
      await watcher.until('the removal', () => watcher.get(KEY) === undefined);
      expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'unknown' });
      await expect(trial.registrar.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it.each(['{"v":1000,"of":"a release to come"}', 'not JSON', ''])(
      'writes what cannot be read: %j',
      async (value) => {
        const watcher = await trial.watching();
        await trial.register();
        await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
        await trial.fixture.foreign!.write(KEY, value);
        await watcher.until('the removal', () => watcher.get(KEY) === undefined);
        expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'unknown' });
        expect((await trial.backend.list()).instances).toEqual([]);
        await expect(trial.register()).rejects.toMatchObject({ code: 'CONFLICT' });
        const update = trial.registrar.update(KEY, { kind: 'patch', weight: 1 }, { actor });
        await expect(update).rejects.toMatchObject({ code: 'CONFLICT' });
        await trial.registrar.deregister(KEY, { actor, cause: 'deregistered' });
        expect(await trial.register()).toMatchObject({ created: true });
      },
    );
  });
}
