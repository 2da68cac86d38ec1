import { describe, expect, it } from '@jest/globals';
import { compareVersions, keyText } from '../../index.js';
import { actor, KEY, pass, type Trial } from './trial.js';

export function readingContract(trial: Trial): void {
  describe('reading', () => {
    it('answers a ping', async () => {
      await expect(trial.backend.ping(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
    });

    it('lists nothing when there is nothing', async () => {
      expect((await trial.backend.list()).instances).toEqual([]);
    });

    it('refuses to list for a caller that has gone', async () => {
      await expect(trial.backend.list(AbortSignal.abort())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('begins a watch with a snapshot, even when it is empty', async () => {
      const watcher = await trial.watching();
      expect(watcher.events[0]).toMatchObject({ kind: 'snapshot', instances: [] });
    });

    it('begins a watch with all that is there', async () => {
      await trial.register();
      const watcher = await trial.watching();
      const [first] = watcher.events;
      if (first?.kind !== 'snapshot') throw new Error('no snapshot');
      expect(first.instances.map(keyText)).toEqual([keyText(KEY)]);
      expect(first.incarnation).toBe((await trial.backend.list()).incarnation);
    });

    it('lists what has gone no more, as of its removal at least', async () => {
      await trial.register();
      const removal = await trial.registrar.deregister(KEY, { actor, cause: 'deregistered' });
      const { instances, asOf } = await trial.backend.list();
      expect(instances).toEqual([]);
      expect(compareVersions(asOf, removal.version)).toBeGreaterThanOrEqual(0);
    });

    it('lists 5 MB', async () => {
      const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key-${i}`, 'v'.repeat(500)]));
      const ids = Array.from({ length: 200 }, (_, i) => `instance-${i}`);
      await Promise.all(ids.map((serviceId) => trial.register({ serviceId, metadata })));
      expect((await trial.backend.list()).instances).toHaveLength(ids.length);
      const watcher = await trial.watching();
      expect(watcher.instances.size).toBe(ids.length);
    }, 60_000);

    it('ends a watch when its reader aborts, and every watch when it stops', async () => {
      const aborted = await trial.watching();
      const stopped = await trial.watching();
      await aborted.stop();
      await trial.backend.stop();
      await stopped.done;
      await trial.watch().done;
      await trial.backend.stop();
    });

    it('leaves nothing open when it stops, and answers nothing more', async () => {
      await trial.watching();
      await trial.register();
      await trial.backend.stop();
      const unavailable = { code: 'UNAVAILABLE' };
      await expect(trial.backend.ping(AbortSignal.timeout(5_000))).rejects.toMatchObject(unavailable);
      await expect(trial.backend.list()).rejects.toMatchObject(unavailable);
      await expect(trial.register()).rejects.toMatchObject(unavailable);
      // What is being closed takes a few turns of the event loop.
      for (let turn = 0; turn < 100 && stillOpen(trial.openBefore).length > 0; turn++) await pass(10);
      expect(stillOpen(trial.openBefore)).toEqual([]);
    });
  });
}

/** Kinds of what keeps this process alive, without those of before and what the test itself waits with. */
function stillOpen(before: readonly string[]): string[] {
  const left = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate');
  for (const kind of before) if (left.includes(kind)) left.splice(left.indexOf(kind), 1);
  return left;
}
