import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../servers/ports.js';
import { register } from '../support/instances.js';
import { endProcesses, TEST_MS, type LogLine } from '../support/process.js';
import { Target } from '../support/target.js';
import { shared } from './support/owners.js';
import { registriesOf } from './support/registries.js';
import { allKnow, Replica } from './support/replicas.js';

const CHECKS = 60;

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());
afterEach(endProcesses);

describe.each(registriesOf('etcd', 'consul'))('health checks among replicas on $type', (registry) => {
  it(
    'have one owner each, who changes only where one dies, leaves or comes',
    async () => {
      const variables = await registry.environment();
      const onOnePort = { ...variables, SERVICE_PORT: String(await freePort()) };
      const [first, second] = await Replica.startSeveral(2, variables);
      const third = await Replica.start(onOnePort);
      await allKnow([first!, second!, third], 3);
      for (let i = 0; i < CHECKS; i++) {
        await register(first!.http, {
          ...{ service_name: 'checked', service_id: `checked-${i}`, port: target.port },
          health_check: { type: 'http', http_path: '/', interval: 1 },
        });
      }
      const three = await shared([first!, second!, third], 'checked', CHECKS);

      const id = await third.id();
      const killed = performance.now();
      await third.end('SIGKILL');
      const two = await shared([first!, second!], 'checked', CHECKS);
      const seconds = (performance.now() - killed) / 1_000;
      console.log(`checks of a replica that was killed are made by others after ${seconds.toFixed(1)} s`);
      expect(moved(three, two)).toEqual(idsOf(three, third));
      // By asking it: its lease would have told only later.
      const told = ({ msg, replica }: LogLine) => msg.startsWith('a replica does not answer') && replica === id;
      expect([first!, second!].map(({ server }) => server.log.some(told))).toEqual([true, true]);

      // At the address of the one that was killed, whose lease still runs.
      const fourth = await Replica.start(onOnePort);
      const again = await shared([first!, second!, fourth], 'checked', CHECKS);
      const returns = ({ msg, replica }: LogLine) => msg === 'a replica answers again' && replica === id;
      expect(first!.server.log.filter(returns)).toEqual([]);
      expect(moved(two, again)).toEqual(idsOf(again, fourth));
      for (const replica of [first!, second!, fourth]) {
        const share = idsOf(again, replica).length / CHECKS;
        expect(share).toBeGreaterThan(1 / 10);
        expect(share).toBeLessThan(6 / 10);
      }

      expect(await second!.end('SIGTERM')).toEqual({ code: 0, signal: null });
      const left = await shared([first!, fourth], 'checked', CHECKS);
      expect(moved(again, left)).toEqual(idsOf(again, second!));
      await Promise.all([first!.end('SIGTERM'), fourth.end('SIGTERM')]);
    },
    TEST_MS,
  );
});

function idsOf(owners: ReadonlyMap<string, Replica>, replica: Replica): string[] {
  return [...owners]
    .filter(([, owner]) => owner === replica)
    .map(([id]) => id)
    .sort();
}

function moved(before: ReadonlyMap<string, Replica>, after: ReadonlyMap<string, Replica>): string[] {
  return [...before]
    .filter(([id, owner]) => after.get(id) !== owner)
    .map(([id]) => id)
    .sort();
}
