import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { checkAnswer, instanceHealthAnswer } from '../../apps/server/src/api/v1/schemas/answers.js';
import { untilAnswer } from '../support/changes.js';
import { instancePath, register } from '../support/instances.js';
import { endProcesses, TEST_MS, within } from '../support/process.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';
import { registriesOf } from './support/registries.js';
import { Replica, SECRET } from './support/replicas.js';

type Health = z.output<typeof instanceHealthAnswer>;
type Check = z.output<typeof checkAnswer>;

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());
afterEach(endProcesses);

/** Probed once, and then not for an hour. */
async function registerProbed(replica: Replica, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await register(replica.http, {
      ...{ service_name: 'web', service_id: `web-${i}`, port: target.port },
      health_check: { type: 'http', http_path: '/', interval: 3_600, failures_before_critical: 1 },
    });
  }
}

describe.each(registriesOf('etcd'))('health through any of three replicas on $type', (registry) => {
  it(
    'is the same, with what its owner has found and the heartbeat that another one took; a check now goes to the owner',
    async () => {
      const replicas = await Replica.startSeveral(3, { ...(await registry.environment()), ...SECRET });
      const [first] = replicas;
      await registerProbed(first!, 9);
      const ids = Array.from({ length: 9 }, (_, i) => `web-${i}`);
      for (const id of ids) {
        for (const { http } of replicas)
          await untilAnswer<Health>(http, `/api/v1/health/${id}`, ({ data }) => data.checks[0]!.timestamp !== null, id);
      }
      await replicas[1]!.http.put(`${instancePath('web', 'web-0')}/heartbeat`, { load_percentage: 0.25 });

      target.status = 500;
      target.body = '{"says": "its own"}';
      for (const [i, id] of ids.entries()) {
        const { data } = await replicas[i % 3]!.http.post<Check>(`/api/v1/health/${id}/check`);
        expect([data.service_id, data.status]).toEqual([id, 'critical']);
        for (const { http } of replicas) {
          const { data: health } = await untilAnswer<Health>(
            http,
            `/api/v1/health/${id}`,
            (answer) => answer.data.status === 'critical' && answer.data.checks[0]!.timestamp === data.timestamp,
            `${id} critical, as the check has found it`,
          );
          expect(health.checks).toEqual([data]);
        }
      }

      for (const path of ['/api/v1/health/web', '/api/v1/health/web/checks', '/api/v1/health/web-0']) {
        const texts = async () => Promise.all(replicas.map(async ({ http }) => (await http.get(path)).text));
        await until(async () => new Set(await texts()).size === 1, 20_000);
      }
      const { data } = await replicas[2]!.http.get<Health>('/api/v1/health/web-0');
      expect(data.load_percentage).toBe(0.25);
      expect(data.last_heartbeat).not.toBeNull();
      // Older systems' clients are told what the instance said, whichever replica has asked it.
      const aggregates = replicas.map(({ http }) => http.get('/service-discovery/health/aggregated'));
      for (const { json } of await Promise.all(aggregates))
        expect(json.services).toMatchObject({ web: { status: 'unhealthy', health_data: { says: 'its own' } } });
      target.status = 200;

      const { data: all } = await first!.http.post<{ results: Check[] }>('/api/v1/health/web/check');
      expect(all.results.map(({ status }) => status)).toEqual(ids.map(() => 'passing'));
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );

  it(
    'says what it does not know without REPLICA_SECRET, and while the owner is frozen, which holds up no answer',
    async () => {
      const environment = await registry.environment();
      const replicas = await Replica.startSeveral(2, environment);
      await registerProbed(replicas[0]!, 8);
      const unknown = async ({ http }: Replica) => {
        const { data } = await http.get<Check[]>('/api/v1/health/web/checks');
        return data.filter(({ output }) => output.startsWith('not known here')).map(({ service_id }) => service_id);
      };
      await until(
        async () => (await unknown(replicas[0]!)).length + (await unknown(replicas[1]!)).length === 8,
        30_000,
      );
      const [foreign] = await unknown(replicas[0]!);
      const refused = await replicas[0]!.http.post(`/api/v1/health/${foreign}/check`);
      expect([refused.status, refused.headers['retry-after'], refused.problem.code]).toEqual([
        503,
        '1',
        'CHECK_ELSEWHERE',
      ]);
      const advice = replicas[0]!.server.log.filter(
        ({ level, msg }) => level === 'warn' && msg.includes('REPLICA_SECRET'),
      );
      expect(advice).toHaveLength(1);

      const id = await replicas[0]!.id();
      const seen = await replicas[0]!.http.get(`/internal/replicas/${id}/seen?service=web`);
      const forged = { authorization: 'Replica AAAA' };
      const checked = await replicas[0]!.http.post(
        `/internal/replicas/${id}/check?service=web&id=web-0`,
        undefined,
        forged,
      );
      expect([seen.status, checked.status]).toEqual([403, 403]);
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));

      const [asking, frozen] = await Replica.startSeveral(2, { ...environment, ...SECRET });
      await until(async () => (await unknown(asking!)).length === 0, 30_000);
      frozen!.server.signal('SIGSTOP');
      const answer = asking!.http.get<Check[]>('/api/v1/health/web/checks?index=0');
      expect((await within(answer, 'an answer', 20_000)).data).toHaveLength(8);
      frozen!.server.signal('SIGCONT');
    },
    TEST_MS,
  );
});
