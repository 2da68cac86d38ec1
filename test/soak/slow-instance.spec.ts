import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DiscoveryClient, PRESETS } from '#client';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/instances.js';
import { endProcesses, ServerProcess, ServiceProcess } from '../support/process.js';
import { Calls } from './support/calls.js';

// The experiment of docs/balancing.md with real calls: one of eleven instances takes two seconds, and callers wait for one.

const INSTANCES = 11;
const RATE = { perSecond: 200, seconds: 60 };
const USUAL_MS = 50;
const SLOW_MS = 2_000;
const DEADLINE_MS = 1_000;
/** What it comes to is the strategy's doing alone: nothing is tried again, nobody is left alone. */
const POLICY = {
  ...PRESETS.standard,
  ...{ maxAttempts: 1, failureThreshold: 1e9, attemptTimeoutMs: DEADLINE_MS, deadlineMs: DEADLINE_MS },
};

let client: DiscoveryClient;
beforeAll(async () => {
  const server = await ServerProcess.start({ REGISTRY_TYPE: 'memory' });
  const services = await Promise.all(Array.from({ length: INSTANCES }, () => ServiceProcess.start()));
  const http = new HttpClient(server.url);
  for (const [i, service] of services.entries()) {
    await service.answer({ delayMs: i === 0 ? SLOW_MS : USUAL_MS });
    await register(http, { service_name: 'users', id: `users-${i}`, port: service.port, ttl: 3_600 });
  }
  await http.close();
  client = new DiscoveryClient({ servers: [server.url] });
  await client.ready();
});
afterAll(async () => {
  await client.close();
  await endProcesses();
});

describe('calls to a service of which one instance is slow', () => {
  it.each([
    ['round_robin', 0.9, 0.92],
    ['least_connections', 0.98, 1],
    ['power_of_two', 0.999, 1],
  ])(
    'by %s',
    async (strategy, least, most) => {
      const calls = new Calls(client, RATE, { policy: POLICY, strategy });
      await calls.run();
      const share = 1 - calls.failed / calls.made;
      console.log(`${strategy}: ${calls.made} calls, ${(100 * share).toFixed(2)} % within a second`);
      expect(share).toBeGreaterThanOrEqual(least);
      expect(share).toBeLessThanOrEqual(most);
    },
    (RATE.seconds + 60) * 1_000,
  );
});
