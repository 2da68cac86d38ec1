import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ids, register, type Service } from '../support/instances.js';
import { endProcesses, ServiceProcess, TEST_MS } from '../support/process.js';
import { shared } from './support/owners.js';
import { registriesOf } from './support/registries.js';
import { Replica } from './support/replicas.js';

const CHECKS = 40;
const TIMEOUT_MS = 10_000;

const pathOf = (id: string) => `/${id}`;

afterEach(endProcesses);

describe.each(registriesOf('etcd'))('a replica on $type that was frozen', (registry) => {
  it(
    'says nothing of what it was about to find: others have found it meanwhile',
    async () => {
      const [awake, frozen] = await Replica.startSeveral(2, await registry.environment());
      const service = await ServiceProcess.start();
      for (let i = 0; i < CHECKS; i++) {
        await register(awake!.http, {
          ...{ service_name: 'slow', service_id: `slow-${i}`, port: service.port },
          health_check: {
            type: 'http',
            http_path: pathOf(`slow-${i}`),
            interval: 10,
            timeout: TIMEOUT_MS / 1_000,
            failures_before_critical: 1,
          },
        });
      }
      const owners = await shared([awake!, frozen!], 'slow', CHECKS);

      // So that many a check is under way at any time; for each of these its time is up when the freeze ends.
      const its = [...owners].flatMap(([id, owner]) => (owner === frozen ? [pathOf(id)] : []));
      await service.answer({ never: its });
      await sleep(TIMEOUT_MS / 2);
      frozen!.server.signal('SIGSTOP');
      await awake!.server.logged(({ msg }) => msg.startsWith('a replica does not answer'), 'the freeze');
      await service.answer({});
      await sleep(TIMEOUT_MS + 3_000);
      frozen!.server.signal('SIGCONT');
      await frozen!.server.logged(
        ({ error }) => error === 'this process stood still meanwhile',
        'a check that was cut',
      );

      // It is back.
      await shared([awake!, frozen!], 'slow', CHECKS);
      const { data } = await awake!.http.get<Service>('/api/v1/services/slow?healthy_only=true');
      expect(ids(data.instances)).toHaveLength(CHECKS);
      for (const { server } of [awake!, frozen!])
        expect(server.log.filter(({ cause, serviceName }) => cause === 'status' && serviceName === 'slow')).toEqual([]);
    },
    TEST_MS,
  );
});
