import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { instancePath } from '../support/instances.js';
import { endProcesses, TEST_MS, ServerProcess } from '../support/process.js';
import { until } from '../support/until.js';

const SERVICES = '/api/v1/services';
const COUNT = 2_000;
const BATCH = 500;
/** As many long polls as may wait at once, and how often they are opened and dropped. */
const WAITERS = 50;
const ROUNDS = 20;
/** The longest turn of the event loop, seconds of the process' own time: a busy machine makes it wait too. */
const LONGEST_TURN_S = 0.75;

let server: ServerProcess;
let http: HttpClient;

beforeAll(async () => {
  server = await ServerProcess.start({ MAX_WAITERS: String(WAITERS) });
  http = new HttpClient(server.url);
}, TEST_MS);

afterAll(async () => {
  await endProcesses();
  await http.close();
});

async function metric(name: string): Promise<number> {
  return valueIn((await http.get('/metrics')).text, name);
}

function valueIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Of all types together. */
async function handles(): Promise<number> {
  const { text } = await http.get('/metrics');
  return Array.from(text.matchAll(/^nodejs_active_handles\{.*\} (\d+)$/gm), ([, count]) => Number(count)).reduce(
    (a, b) => a + b,
    0,
  );
}

/** Connections that are gone take a moment to be noticed. */
async function untilHandles(most: number): Promise<void> {
  await until(async () => (await handles()) <= most, 10_000);
}

/** One request on a connection of its own. */
async function ask(path: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: registry\r\n\r\n`);
  return socket;
}

async function answerToOneMore(index: string): Promise<number> {
  const socket = await ask(`${SERVICES}?index=${index}&wait=1ms`);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(data.toString('latin1').split(' ')[1]);
}

describe('a server with much to do', () => {
  it(
    'forgets what it was told to forget, keeps nothing open, and goes on turning',
    async () => {
      await http.get(SERVICES);
      const before = await handles();
      expect(before).toBeGreaterThan(0);

      const instances = Array.from({ length: COUNT }, (_, i) => ({
        name: `churn-${i % 40}`,
        id: `churn-${i}`,
        address: `10.1.${Math.floor(i / 250)}.${(i % 250) + 1}`,
        port: 80,
        tags: ['api', `v${i % 5}`],
        ttl: 60,
        // Watched, and not yet due.
        ...(i % 2 === 0 && { health_check: { type: 'tcp', interval: 3_600, timeout: 1 } }),
      }));
      // The scrape resets what it measures of turns: from here on, they are this test's.
      const cpuBefore = await metric('process_cpu_seconds_total');
      const begun = performance.now();
      const busy = new HttpClient(server.url);
      for (let begin = 0; begin < COUNT / 2; begin += BATCH) {
        await busy.post(`${SERVICES}/batch`, instances.slice(begin, begin + BATCH));
      }
      await Promise.all(instances.slice(COUNT / 2).map((instance) => busy.post(SERVICES, instance)));
      expect((await busy.get(SERVICES)).data).toHaveLength(40);
      await Promise.all(instances.map(({ name, id }) => busy.delete(instancePath(name, id))));
      expect((await busy.get(SERVICES)).data).toEqual([]);
      await busy.close();
      const { text } = await http.get('/metrics');
      const cpu = valueIn(text, 'process_cpu_seconds_total') - cpuBefore;
      const share = Math.min(1, cpu / ((performance.now() - begun) / 1_000));
      expect(valueIn(text, 'nodejs_eventloop_lag_max_seconds') * share).toBeLessThan(LONGEST_TURN_S);
      expect(await metric('service_discovery_registered_services_total')).toBe(0);
      await untilHandles(before);
    },
    TEST_MS,
  );

  it(
    'leaves no waiter behind of long polls that were dropped',
    async () => {
      const before = await handles();
      const index = (await http.get(SERVICES)).revision;
      for (let round = 0; round < ROUNDS; round++) {
        const polls = await Promise.all(
          Array.from({ length: WAITERS }, (_, i) =>
            ask(i % 2 === 0 ? `${SERVICES}?index=${index}&wait=10m` : `/api/v1/health/x?index=${index}&wait=10m`),
          ),
        );
        // When one more is refused, all of them wait; when one more is taken, they have been let go.
        await until(async () => [429, 503].includes(await answerToOneMore(index)), 10_000);
        for (const poll of polls) poll.destroy();
        await until(async () => (await answerToOneMore(index)) === 200, 10_000);
      }
      await untilHandles(before);
      expect(server.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
      expect(server.stderr).toBe('');
    },
    TEST_MS,
  );
});
