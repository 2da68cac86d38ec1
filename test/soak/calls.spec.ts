import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from '@jest/globals';
import { DiscoveryClient, PRESETS } from '#client';
import { describeOwn } from '../servers/describe-own.js';
import { redis } from '../servers/redis.js';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/instances.js';
import { endProcesses, ServerProcess, ServiceProcess } from '../support/process.js';
import { Calls } from './support/calls.js';

const INSTANCES = 20;
const RATE = { perSecond: 500, seconds: 120 };
/** After this nothing that is kept for ever is still to come. */
const WARM_S = 15;
const FLAT_BYTES = 16 * 2 ** 20;

let client: DiscoveryClient | undefined;
let registry: Awaited<ReturnType<typeof redis.start>> | undefined;
afterEach(async () => {
  await client?.close();
  await endProcesses();
  await registry?.stop();
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describeOwn(redis)('calls at full speed', () => {
  it(
    'succeed while instances die, err and become slow, the server is away, and its registry is',
    async () => {
      const known = (registry = await redis.start());
      const environment = { REGISTRY_TYPE: 'redis', REDIS_URL: known.address };
      const server = await ServerProcess.start(environment);
      const services = await Promise.all(Array.from({ length: INSTANCES }, () => ServiceProcess.start()));
      const http = new HttpClient(server.url);
      for (const { port } of services)
        await register(http, { service_name: 'users', id: `users-${port}`, port, ttl: 300 });
      await http.close();
      client = new DiscoveryClient({ servers: [server.url] });
      await client.ready();

      const calls = new Calls(client, RATE, { policy: PRESETS.web });
      const [dying, erring, slow] = services;
      let warm = 0;
      await calls.run([
        [5, () => dying!.kill()],
        [10, () => erring!.answer({ status: 500 })],
        [15, () => slow!.answer({ delayMs: 2_000 })],
        [WARM_S, () => (warm = heapBytes())],
        [20, () => server.end('SIGKILL')],
        [50, () => ServerProcess.start({ ...environment, SERVICE_PORT: new URL(server.url).port })],
        [60, () => known.kill()],
        [90, () => known.restart()],
      ]);
      const { made, failed, attempts, failures } = calls;
      const grown = heapBytes() - warm;
      console.log(`${made} calls, ${failed} failed, ${attempts - made} attempts more, ${grown} bytes grown`, failures);
      expect(failed).toBeLessThanOrEqual(made / 1_000);
      expect(attempts - made).toBeLessThanOrEqual(made * 0.2);
      expect(grown).toBeLessThan(FLAT_BYTES);
    },
    (RATE.seconds + 120) * 1_000,
  );
});
