import { describe, expect, it } from '@jest/globals';
import type { RegistryBackend } from '../../index.js';
import { registration } from '../registrations.js';
import { changeAtOnce } from './changing.js';
import { actor, KEY, type Trial } from './trial.js';

/** Two servers in front of one registry. */
export function replicasContract(trial: Trial): void {
  describe('replicas', () => {
    async function both(): Promise<readonly [RegistryBackend, RegistryBackend]> {
      return [trial.backend, await trial.another()];
    }

    it('shows one what another did', async () => {
      const [, other] = await both();
      const watcher = await trial.watching(other);
      await trial.register();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await other.registrar!.renew(KEY, { status: 'warning' }, { actor });
      await other.registrar!.deregister(KEY, { actor: 'other', cause: 'deregistered' });
      await watcher.until('the removal', () => watcher.get(KEY) === undefined);
      expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'deregistered', actor: 'other' });
    }, 30_000);

    it('refuses the heartbeat of what another removed once the own watch has shown it', async () => {
      const [, other] = await both();
      const watcher = await trial.watching();
      await trial.register();
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await other.registrar!.deregister(KEY, { actor, cause: 'deregistered' });
      await watcher.until('the removal', () => watcher.get(KEY) === undefined);
      await expect(trial.registrar.renew(KEY, {}, { actor })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }, 30_000);

    it('loses no change when both make them', async () => {
      const [one, other] = await both();
      await trial.register();
      await changeAtOnce(trial, [one.registrar!, other.registrar!]);
    }, 30_000);

    it('creates once what both register at once', async () => {
      const pair = await both();
      for (let round = 0; round < 10; round++) {
        const given = registration({ serviceId: `id-${round}` });
        const results = await Promise.all(
          [...pair, ...pair].map(({ registrar }) => registrar!.register(given, { actor })),
        );
        expect(results.filter(({ created }) => created)).toHaveLength(1);
      }
    }, 30_000);

    it('removes once what both deregister at once', async () => {
      const pair = await both();
      for (let round = 0; round < 10; round++) {
        await trial.register();
        const results = await Promise.allSettled(
          [...pair, ...pair].map(({ registrar }) => registrar!.deregister(KEY, { actor, cause: 'deregistered' })),
        );
        const refused = results.filter((result) => result.status === 'rejected');
        expect(refused).toHaveLength(3);
        for (const { reason } of refused) expect(reason).toMatchObject({ code: 'NOT_FOUND' });
      }
    }, 30_000);
  });
}
