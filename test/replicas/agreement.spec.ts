import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { untilAnswer } from '../support/changes.js';
import type { HttpClient } from '../support/http-client.js';
import { instancePath, register, type Instance } from '../support/instances.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { REGISTRIES } from './support/registries.js';
import { Replica } from './support/replicas.js';

const TTL_MS = 5_000;
const BEATS = 8;

// The tests of this file run side by side.
afterAll(endProcesses);

async function shows(
  { http }: Replica,
  service: string,
  id: string,
  fits: (instance: Instance) => boolean,
  what: string,
): Promise<void> {
  await untilAnswer<Instance>(
    http,
    instancePath(service, id),
    (answer) => answer.status === 200 && fits(answer.data),
    what,
  );
}

async function isGone({ http }: { readonly http: HttpClient }, service: string, id: string): Promise<void> {
  await untilAnswer(http, instancePath(service, id), ({ status }) => status === 404, `the end of ${id}`, 60_000);
}

describe('two replicas', () => {
  it.concurrent.each(REGISTRIES)(
    'on $type are one registry: what is done through one is so through the other, heartbeats among it',
    async (registry) => {
      const replicas = await Replica.startSeveral(2, await registry.environment());
      await Promise.all([changeThroughEither(replicas), beatThroughEither(replicas)]);
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});

async function changeThroughEither(replicas: readonly Replica[]): Promise<void> {
  const [first, second] = replicas.map(({ http }) => http);
  const path = instancePath('web', 'web-1');
  const onBoth = (fits: (instance: Instance) => boolean, what: string) =>
    Promise.all(replicas.map((replica) => shows(replica, 'web', 'web-1', fits, what)));

  await register(first!, { service_name: 'web', service_id: 'web-1', ttl: '60s' });
  await onBoth(({ status }) => status === 'passing', 'registered');
  await second!.put(`${path}/maintenance?reason=upgrade`);
  await onBoth(({ status, maintenance_reason: why }) => status === 'maintenance' && why === 'upgrade', 'out');
  await first!.put(`${path}/heartbeat`, { status: 'warning' });
  await second!.delete(`${path}/maintenance`);
  await onBoth(({ status }) => status === 'warning', 'back, and not well');
  await first!.patch(path, { tags: ['blue'], weight: 7 });
  await onBoth(({ tags, weight }) => tags[0] === 'blue' && weight === 7, 'changed');
  await register(second!, { service_name: 'web', service_id: 'web-1', port: 81, ttl: '60s' });
  await onBoth(({ port }) => port === 81, 'registered anew');
  expect((await first!.delete(path)).status).toBe(204);
  await Promise.all(replicas.map((replica) => isGone(replica, 'web', 'web-1')));
  for (const http of [first!, second!]) expect((await http.put(`${path}/heartbeat`)).status).toBe(404);
}

/** Each takes every other heartbeat of one, which lives on; nobody's heartbeat keeps the other. */
async function beatThroughEither(replicas: readonly Replica[]): Promise<void> {
  for (const service_id of ['beats', 'silent'])
    await register(replicas[0]!.http, { service_name: 'beating', service_id, ttl: TTL_MS / 1_000 });
  for (let beat = 0; beat < BEATS; beat++) {
    await sleep(TTL_MS / 3);
    const { status } = await replicas[beat % 2]!.http.put(`${instancePath('beating', 'beats')}/heartbeat`);
    expect([beat, status]).toEqual([beat, 200]);
  }
  await Promise.all(replicas.map((replica) => isGone(replica, 'beating', 'silent')));
  for (const { server } of replicas) {
    const ended = server.log.filter(({ cause }) => cause === 'expired').map(({ serviceId }) => serviceId);
    expect(ended).not.toContain('beats');
  }
}
