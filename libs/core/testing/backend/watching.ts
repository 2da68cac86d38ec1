import { describe, expect, it } from '@jest/globals';
import { keyOf, keyText, type ServiceInstance } from '../../index.js';
import { registration } from '../registrations.js';
import { actor, KEY, type Trial } from './trial.js';

export function watchingContract(trial: Trial): void {
  describe('watching', () => {
    it('brings a reader that slept to the newest state', async () => {
      const aborter = new AbortController();
      const stream = trial.backend.watch(aborter.signal)[Symbol.asyncIterator]();
      expect((await stream.next()).value).toMatchObject({ kind: 'snapshot' });
      await trial.register();
      for (let i = 0; i < 200; i++)
        await trial.registrar.update(KEY, { kind: 'patch', metadata: { i: String(i) } }, { actor });
      const gone = registration({ serviceId: 'gone' });
      await trial.registrar.register(gone, { actor });
      await trial.registrar.deregister(keyOf(gone), { actor, cause: 'deregistered' });
      const last = registration({ serviceId: 'last' });
      await trial.registrar.register(last, { actor });
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
  });
}
