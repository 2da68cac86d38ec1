import { afterAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { timelineAnswer } from '../../apps/server/src/api/v1/schemas/answers.js';
import { instancePath, register, registerAll } from '../support/instances.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';
import { REGISTRIES } from './support/registries.js';
import { Replica } from './support/replicas.js';

type Entry = z.output<typeof timelineAnswer>;

const HOLD = { MASS_LOSS_HOLD: '5' };

// The tests of this file run side by side.
afterAll(endProcesses);

async function timelineOf({ http }: Replica, service: string): Promise<readonly Entry[]> {
  const answer = await http.get<Entry[]>(`/api/v1/services/${service}/timeline`);
  return answer.status === 200 ? answer.data : [];
}

function fits(entry: Entry, happened: Partial<Entry>): boolean {
  return Object.entries(happened).every(([name, value]) => entry[name as keyof Entry] === value);
}

/** Resolves when every replica tells that this has happened last. A watch converges: what follows at once may be told as one. */
async function told(replicas: readonly Replica[], service: string, happened: Partial<Entry>): Promise<void> {
  for (const replica of replicas) {
    await until(async () => {
      const [newest] = await timelineOf(replica, service);
      return newest !== undefined && fits(newest, happened);
    }, TEST_MS / 4);
  }
}

/** What is done to an instance, through one replica or the other. */
async function isDone(replicas: readonly [Replica, Replica]): Promise<void> {
  const [a, b] = replicas;
  const [path, actor] = [instancePath('web', 'x'), 'anonymous@127.0.0.1'];
  await register(a.http, { service_name: 'web', id: 'x' });
  await told(replicas, 'web', { cause: 'registered', actor, before: null, status: 'passing' });
  await b.http.put(`${path}/heartbeat`, { status: 'warning' });
  await told(replicas, 'web', { cause: 'status', actor, before: 'passing', status: 'warning' });
  await a.http.put(`${path}/heartbeat`, { status: 'critical' });
  await told(replicas, 'web', { cause: 'status', actor, before: 'warning', status: 'critical' });
  await b.http.put(`${path}/heartbeat`, { status: 'passing' });
  await told(replicas, 'web', { cause: 'status', actor, before: 'critical', status: 'passing' });
  await a.http.put(`${path}/maintenance?reason=disk`);
  await told(replicas, 'web', { cause: 'maintenance', actor, status: 'maintenance', detail: 'on: disk' });
  await b.http.delete(`${path}/maintenance`);
  await told(replicas, 'web', { cause: 'maintenance', actor, before: 'maintenance', status: 'passing', detail: 'off' });
  await a.http.delete(path);
  await told(replicas, 'web', { cause: 'deregistered', actor, status: null });
}

/** What the checks find, made by one of them. */
async function isFound(replicas: readonly [Replica, Replica]): Promise<void> {
  const target = await Target.start();
  const check = { type: 'http', http_path: '/', failures_before_critical: 2, deregister_critical_service_after: 1 };
  await register(replicas[0].http, { service_name: 'checked', id: 'x', port: target.port, health_check: check });
  await told(replicas, 'checked', { cause: 'registered', status: 'passing' });
  target.status = 503;
  await told(replicas, 'checked', { cause: 'evicted', actor: 'health-monitor', before: 'critical', status: null });
  await target.stop();
  const outputs = await Promise.all(replicas.map(async (replica) => outputsIn(await timelineOf(replica, 'checked'))));
  // Whoever made the checks knows what they said.
  expect(outputs.flat()).toContainEqual(expect.stringContaining('503'));
}

function outputsIn(timeline: readonly Entry[]): readonly unknown[] {
  return timeline.filter(({ cause }) => cause === 'status').map(({ output }) => output);
}

/** Leases that end together: held for a while. */
async function isLost(replicas: readonly [Replica, Replica]): Promise<void> {
  await registerAll(replicas[0].http, 'silent', { a: { ttl: 5 }, b: { ttl: 5 }, c: { ttl: 5 } });
  await told(replicas, 'silent', { cause: 'released', status: null });
  for (const replica of replicas) {
    const held = (await timelineOf(replica, 'silent')).filter(({ cause }) => cause === 'held');
    expect(held.map(({ service_id }) => service_id).sort()).toEqual(['a', 'b', 'c']);
  }
}

describe('timelines of two replicas', () => {
  it.concurrent.each(REGISTRIES)(
    'tell the same: what was done, by whom, what checks have found, and what was held, on $type',
    async (registry) => {
      const environment = { ...(await registry.environment()), ...HOLD };
      const replicas = (await Replica.startSeveral(2, environment)) as [Replica, Replica];
      await Promise.all([isDone(replicas), isFound(replicas), isLost(replicas)]);
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});
