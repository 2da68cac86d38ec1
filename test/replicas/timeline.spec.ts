import { afterEach, describe, it } from '@jest/globals';
import type { z } from 'zod';
import type { timelineAnswer } from '../../apps/server/src/api/v1/schemas/answers.js';
import { instancePath, register } from '../support/instances.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { until } from '../support/until.js';
import { REGISTRIES } from './support/registries.js';
import { Replica } from './support/replicas.js';

type Entry = z.output<typeof timelineAnswer>;

afterEach(endProcesses);

async function newest({ http }: Replica): Promise<Entry | undefined> {
  const answer = await http.get<Entry[]>('/api/v1/services/web/timeline');
  return answer.status === 200 ? answer.data[0] : undefined;
}

describe.each(REGISTRIES)('timelines on $type', (registry) => {
  it(
    'tell what was done through another replica, and by whom',
    async () => {
      const replicas = await Replica.startSeveral(2, await registry.environment());
      const [a, b] = replicas as [Replica, Replica];
      // A watch converges: what follows fast upon each other may be told as one.
      const told = async (happened: Partial<Entry>) => {
        const by = (entry: Entry | undefined) =>
          Object.entries(happened).every(([name, value]) => entry?.[name as keyof Entry] === value);
        for (const replica of replicas) await until(async () => by(await newest(replica)), TEST_MS / 4);
      };
      await register(a.http, { service_name: 'web', id: 'x' });
      await told({ cause: 'registered', status: 'passing' });
      await b.http.put(`${instancePath('web', 'x')}/heartbeat`, { status: 'critical' });
      await told({ cause: 'status', before: 'passing', status: 'critical' });
      await a.http.put(`${instancePath('web', 'x')}/maintenance?reason=disk`);
      await told({ cause: 'maintenance', status: 'maintenance', detail: 'on: disk' });
      await b.http.delete(instancePath('web', 'x'));
      await told({ cause: 'deregistered', actor: 'anonymous@127.0.0.1', status: null });
    },
    TEST_MS,
  );
});
