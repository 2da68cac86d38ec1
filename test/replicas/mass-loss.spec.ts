import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { untilAnswer } from '../support/changes.js';
import type { Answer } from '../support/http-client.js';
import { instancePath, type Service } from '../support/instances.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { registriesOf } from './support/registries.js';
import { Replica } from './support/replicas.js';

const ALL = 100;
const LOST = 60;
const TTL_S = 10;

// The tests of this file run side by side.
afterAll(endProcesses);

const idOf = (i: number) => `i-${i}`;
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function registerAll({ http }: Replica, service: string, ttl: number): Promise<void> {
  const one = (i: number) => ({ service_name: service, service_id: idOf(i), address: '127.0.0.1', port: 80, ttl });
  const { data } = await http.post<{ status: number }[]>('/api/v1/services/batch', numbers(0, ALL).map(one));
  expect(data.map(({ status }) => status)).toEqual(numbers(0, ALL).map(() => 201));
}

function until({ http }: Replica, service: string, fits: (answer: Answer<Service>) => boolean, what: string) {
  return untilAnswer<Service>(http, `/api/v1/services/${service}`, fits, what, 60_000);
}

function has(count: number): (answer: Answer<Service>) => boolean {
  return ({ status, data }) => status === 200 && data.instances.length === count;
}

function heldIn({ data }: Answer<Service>): number {
  return data.instances.filter(({ held }) => held).length;
}

/** Those that live on: their heartbeats go to either replica, and on until the signal aborts. */
async function beat(replicas: readonly Replica[], service: string, ending: AbortSignal): Promise<void> {
  for (let round = 0; !ending.aborted; round++) {
    await Promise.all(
      numbers(LOST, ALL).map((i) =>
        replicas[(i + round) % replicas.length]!.http.put(`${instancePath(service, idOf(i))}/heartbeat`),
      ),
    );
    await sleep((TTL_S * 1_000) / 5, undefined, { signal: ending }).catch(() => undefined);
  }
}

async function losesMost(replicas: readonly Replica[]): Promise<void> {
  await registerAll(replicas[0]!, 'silent', TTL_S);
  const ending = new AbortController();
  const beating = beat(replicas, 'silent', ending.signal);
  await Promise.all(
    replicas.map(async (replica) => {
      const held = await until(replica, 'silent', (answer) => heldIn(answer) === LOST, `${LOST} held`);
      expect(held.headers['x-registry-held']).toBe('true');
      expect(held.data.instances).toHaveLength(ALL);
      const word = await replica.http.put(`${instancePath('silent', idOf(0))}/heartbeat`);
      expect(word.status).toBe(404);
      const released = await until(replica, 'silent', has(ALL - LOST), 'the end of the hold');
      expect([released.headers['x-registry-held'], heldIn(released)]).toEqual([undefined, 0]);
    }),
  );
  ending.abort();
  await beating;
}

async function isScaledDown(replicas: readonly Replica[]): Promise<void> {
  await registerAll(replicas[0]!, 'scaled', 300);
  const leave = (from: number, to: number) =>
    Promise.all(numbers(from, to).map((i) => replicas[i % 2]!.http.delete(instancePath('scaled', idOf(i)))));
  for (const replica of replicas) await until(replica, 'scaled', has(ALL), 'all there');
  await leave(0, LOST);
  for (const replica of replicas) {
    const { headers } = await until(replica, 'scaled', has(ALL - LOST), 'those that are left');
    expect(headers['x-registry-held']).toBeUndefined();
  }
  await leave(LOST, ALL);
  for (const replica of replicas) await until(replica, 'scaled', ({ status }) => status === 404, 'nobody');
  for (const { server } of replicas) {
    const held = server.log.filter(({ cause, serviceName }) => cause === 'held' && serviceName === 'scaled');
    expect(held).toEqual([]);
  }
}

describe(`of ${ALL} instances behind two replicas`, () => {
  it.concurrent.each(registriesOf('etcd', 'redis'))(
    `${LOST} that fall silent are held and then released; those that deregister are gone at once, on $type`,
    async (registry) => {
      const environment = { ...(await registry.environment()), MASS_LOSS_HOLD: '15' };
      const replicas = await Replica.startSeveral(2, environment);
      await Promise.all([losesMost(replicas), isScaledDown(replicas)]);
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});
