import { describe, expect, it } from '@jest/globals';
import { keyOf, type Heartbeat } from '../../index.js';
import { registration } from '../registrations.js';
import { actor, KEY, pass, type Trial } from './trial.js';

/** How much later than its TTL an instance may go. */
const SLACK_MS = 2_000;

/** Times are the registry's own: these tests wait. */
export function leasesContract(trial: Trial): void {
  describe('leases', () => {
    const ttl = trial.shortestTtl;

    it('ends an instance whose lease runs out, says so, and keeps one that is renewed or has none', async () => {
      const watcher = trial.watch();
      const silent = registration({ serviceId: 'silent', ttl });
      const alive = registration({ serviceId: 'alive', ttl });
      const { ttl: _, ...lasting } = registration({ serviceId: 'lasting' });
      const begun = Date.now();
      for (const each of [silent, alive, lasting]) await trial.registrar.register(each, { actor });
      await watcher.until('all three', () => watcher.instances.size === 3);
      const renewals = setInterval(
        () => void trial.registrar.renew(keyOf(alive), {}, { actor }).catch(() => undefined),
        ttl / 3,
      );
      try {
        await watcher.until('the expiry', () => watcher.get(silent) === undefined, ttl + SLACK_MS);
        expect(Date.now() - begun).toBeGreaterThanOrEqual(ttl * 0.9);
        expect(watcher.removals(silent).at(-1)).toMatchObject({ cause: 'expired' });
        expect((await trial.backend.list()).instances.map((each) => each.serviceId).sort()).toEqual([
          'alive',
          'lasting',
        ]);
      } finally {
        clearInterval(renewals);
      }
    }, 30_000);

    const renew = (heartbeat: Heartbeat) => trial.registrar.renew(KEY, heartbeat, { actor });
    const renewals: Record<string, () => Promise<unknown>> = {
      'a heartbeat': () => renew({}),
      'a heartbeat with a status': () => renew({ status: 'warning' }),
      'registering again': () => trial.register({ ttl }),
      'registering again with a change': () => trial.register({ ttl, tags: ['changed'] }),
    };

    it.each(Object.entries(renewals))(
      'begins a lease anew, in full, with %s',
      async (_, renewal) => {
        await trial.register({ ttl });
        const begun = performance.now();
        await pass(ttl / 2);
        await renewal();
        await pass(begun + ttl * 1.2 - performance.now());
        expect(await trial.find(KEY)).toBeDefined();
      },
      30_000,
    );

    it('lets no change of a record touch its lease', async () => {
      const watcher = trial.watch();
      await trial.register({ ttl });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      let turn = 0;
      const changes = setInterval(() => {
        const patch = { kind: 'patch', metadata: { turn: String(turn++) } } as const;
        void trial.registrar.update(KEY, patch, { actor }).catch(() => undefined);
      }, ttl / 4);
      try {
        await watcher.until('the expiry', () => watcher.get(KEY) === undefined, ttl + SLACK_MS);
        expect(watcher.removals(KEY).at(-1)).toMatchObject({ cause: 'expired' });
      } finally {
        clearInterval(changes);
      }
    }, 30_000);

    it('does not end with its old lease what has left and come back', async () => {
      await trial.register({ ttl });
      const begun = performance.now();
      await pass(ttl * 0.7);
      await trial.registrar.deregister(KEY, { actor, cause: 'deregistered' });
      await trial.register({ ttl });
      await pass(begun + ttl * 1.4 - performance.now());
      expect(await trial.find(KEY)).toBeDefined();
    }, 30_000);
  });
}
