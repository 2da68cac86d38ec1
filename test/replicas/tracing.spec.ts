import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { COLLECTORS, spanOf, type Collector } from '../support/collector.js';
import { register } from '../support/instances.js';
import { endProcesses, TEST_MS } from '../support/process.js';
import { Target } from '../support/target.js';
import { until } from '../support/until.js';
import { registriesOf } from './support/registries.js';
import { allKnow, Replica, SECRET } from './support/replicas.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const NAMES = ['a', 'b'];

let target: Target;
let collector: Collector;
beforeAll(async () => {
  target = await Target.start();
  collector = await COLLECTORS[0]!.start();
});
afterAll(() => Promise.all([target.stop(), collector.stop()]));
afterEach(endProcesses);

describe.each(registriesOf('etcd'))('what replicas on $type ask each other', (registry) => {
  it(
    'belongs to the trace and the request that it is asked for',
    async () => {
      const environment = { ...(await registry.environment()), ...SECRET, ...collector.environment };
      const replicas = await Promise.all(
        NAMES.map((OTEL_SERVICE_NAME) => Replica.start({ ...environment, OTEL_SERVICE_NAME })),
      );
      await allKnow(replicas, replicas.length);
      await register(replicas[0]!.http, {
        ...{ service_name: 'web', service_id: 'web-1', port: target.port },
        health_check: { type: 'http', http_path: '/', interval: 3_600 },
      });
      // Each is asked: one of them owns the check.
      const sent = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, 'x-request-id': 'asked-for' };
      for (const { http } of replicas) {
        await until(
          async () => (await http.post('/api/v1/health/web-1/check', undefined, sent)).status === 200,
          TEST_MS / 2,
        );
      }
      const route = 'POST /internal/replicas/:replica/check';
      const answered = await spanOf(collector, ({ name, traceId }) => name === route && traceId === TRACE);
      const asked = await spanOf(collector, ({ id }) => id === answered.parentId);
      expect(asked).toMatchObject({ name: 'POST /api/v1/health/:name_or_id/check', traceId: TRACE });
      expect([asked.service, answered.service].sort()).toEqual(NAMES);
      expect(answered.attributes['service_discovery.request_id']).toBe('asked-for');
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
    },
    TEST_MS,
  );
});
