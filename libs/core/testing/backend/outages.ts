import { beforeEach, describe, expect, it } from '@jest/globals';
import { asBackendError, keyOf, type Registrar } from '../../index.js';
import { registration } from '../registrations.js';
import type { Watcher } from '../watcher.js';
import { actor, KEY, pass, type Outage, type Trial } from './trial.js';

const MENDED_MS = 20_000;
const DEADLINE_MS = 3_000;

const refused = { code: expect.stringMatching(/^(UNAVAILABLE|OUTCOME_UNKNOWN)$/) };

/** The registry goes away from one backend while another still reaches it. */
export function outagesContract(trial: Trial, outages: readonly Outage[]): void {
  const staying = registration({ serviceId: 'staying' });
  const leaving = registration({ serviceId: 'leaving' });
  const coming = registration({ serviceId: 'coming' });

  describe.each([...outages])('an outage: %s', (how) => {
    let watcher: Watcher;
    let writer: Registrar;

    beforeEach(async () => {
      writer = (await trial.another()).registrar!;
      for (const each of [staying, leaving]) await writer.register(each, { actor });
      watcher = trial.watch();
      await watcher.until('both', () => watcher.instances.size === 2);
    });

    const during = (meanwhile: () => Promise<void>) => trial.fixture.outage!(trial.backend, how, meanwhile);
    const change = async () => {
      await writer.deregister(keyOf(leaving), { actor, cause: 'deregistered' });
      await writer.update(keyOf(staying), { kind: 'patch', tags: ['changed'] }, { actor });
      await writer.register(coming, { actor });
    };

    if (how === 'rewound') {
      it('ends with what the registry knew before, under another incarnation', async () => {
        const before = (await trial.backend.list()).incarnation;
        await during(async () => {
          await change();
          await watcher.until('what will be undone', () => watcher.get(coming) !== undefined);
        });
        const restored = () =>
          watcher.get(leaving) !== undefined &&
          watcher.get(coming) === undefined &&
          watcher.get(staying)?.tags.length === 0 &&
          !watcher.stale;
        await watcher.until('what was before', restored, MENDED_MS);
        expect((await trial.backend.list()).incarnation).not.toBe(before);
        await trial.registrar.register(coming, { actor });
        await watcher.until('what comes now', () => watcher.get(coming) !== undefined);
      }, 60_000);
      return;
    }

    it('ends with the truth, deletions included', async () => {
      await during(change);
      const truth = () =>
        watcher.get(leaving) === undefined &&
        watcher.get(coming) !== undefined &&
        watcher.get(staying)?.tags[0] === 'changed' &&
        !watcher.stale;
      await watcher.until('the truth', truth, MENDED_MS);
    }, 60_000);

    it('refuses reads and writes in bounded time, and says what may have happened', async () => {
      await during(async () => {
        const { backend, registrar } = trial;
        const signal = AbortSignal.timeout(DEADLINE_MS);
        const options = { actor, signal };
        const begun = performance.now();
        await Promise.all([
          expect(backend.ping(signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' }),
          expect(backend.list(signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' }),
          expect(registrar.register(coming, options)).rejects.toMatchObject(refused),
          expect(registrar.renew(keyOf(staying), { status: 'warning' }, options)).rejects.toMatchObject(refused),
          expect(registrar.update(keyOf(staying), { kind: 'patch', tags: ['x'] }, options)).rejects.toMatchObject(
            refused,
          ),
          expect(registrar.deregister(keyOf(leaving), { ...options, cause: 'deregistered' })).rejects.toMatchObject(
            refused,
          ),
        ]);
        expect(performance.now() - begun).toBeLessThan(DEADLINE_MS + 1_000);
      });
    }, 60_000);

    it('ends nothing that it kept from renewing', async () => {
      const ttl = 4 * trial.shortestTtl;
      await trial.register({ ttl });
      // What leases the registry keeps by itself go on meanwhile, and were renewed up to a third of the TTL ago:
      // an outage short enough to leave time to come back.
      await during(() => pass(ttl / 4));
      await renewedOnce(trial);
      await pass(ttl / 2);
      await renewedOnce(trial);
    }, 60_000);

    // A frozen registry is found by who pings it, not by the backend.
    if (how === 'frozen') {
      it('makes nobody wait longer than they will for another write of the same instance', async () => {
        const ended: string[] = [];
        const write = async (tag: string, ms: number) => {
          const options = { actor, signal: AbortSignal.timeout(ms) };
          const written = trial.registrar.update(keyOf(staying), { kind: 'patch', tags: [tag] }, options);
          await expect(written).rejects.toMatchObject(refused);
          ended.push(tag);
        };
        await during(async () => {
          await Promise.all([write('first', DEADLINE_MS), write('second', 500)]);
        });
        expect(ended).toEqual(['second', 'first']);
      }, 60_000);
      return;
    }

    it('may be there at the start', async () => {
      const late = await trial.unstarted();
      let seen!: Watcher;
      await trial.fixture.outage!(late, how, async () => {
        await late.start();
        seen = trial.watch(late);
        await seen.until('the outage', () => seen.stale);
      });
      await seen.until('everything', () => !seen.stale && seen.instances.size === 2, MENDED_MS);
    }, 60_000);

    it('is told, to those who come meanwhile too, and ends without any change', async () => {
      const watchers = [watcher];
      await during(async () => {
        await watcher.until('the outage', () => watcher.stale);
        const late = trial.watch();
        watchers.push(late);
        await late.until('the outage', () => late.stale);
      });
      for (const each of watchers) {
        await each.until('the end of it', () => !each.stale, MENDED_MS);
        expect(each.get(staying)).toBeDefined();
        expect(each.instances.size).toBe(2);
      }
    }, 60_000);
  });
}

/** A heartbeat, repeated as its sender would while the connection is being mended. */
async function renewedOnce(trial: Trial): Promise<void> {
  for (const until = performance.now() + MENDED_MS; ;) {
    try {
      await trial.registrar.renew(KEY, {}, { actor, signal: AbortSignal.timeout(DEADLINE_MS) });
      return;
    } catch (error) {
      const away = ['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(asBackendError(error).code);
      if (!away || performance.now() > until) throw error;
      await pass(20);
    }
  }
}
