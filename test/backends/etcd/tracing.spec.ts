import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { etcd } from '../../servers/etcd.js';
import { shared } from '../../servers/kind.js';
import { COLLECTORS, spanOf, type Collector, type Received } from '../../support/collector.js';
import { HttpClient } from '../../support/http-client.js';
import { endProcesses, ServerProcess, TEST_MS } from '../../support/process.js';
import { until } from '../../support/until.js';
import { Watcher } from '../../support/watcher.js';
import { newPrefix } from './fixture.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endProcesses();
});

/** A service that is well, and what its probes said of their traces. */
async function startService(): Promise<{ readonly port: number; readonly parents: readonly unknown[] }> {
  const parents: unknown[] = [];
  const server = createServer(({ headers }, response) => {
    parents.push(headers.traceparent);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, parents };
}

async function startServer(collector: Collector): Promise<{ server: ServerProcess; http: HttpClient }> {
  const server = await ServerProcess.start({
    REGISTRY_TYPE: 'etcd',
    ETCD_HOSTS: shared(etcd),
    REGISTRY_PREFIX: newPrefix(),
    HEALTH_CHECK_INTERVAL: '60',
    ...collector.environment,
  });
  const http = new HttpClient(server.url);
  ends.push(() => http.close());
  return { server, http };
}

/** Of whoever asks: its trace, and its own span in that. */
const [TRACE, CALLER] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
const SENT = { traceparent: `00-${TRACE}-${CALLER}-01`, 'x-request-id': 'traced' };

describe.each(COLLECTORS)('spans by $protocol', (kind) => {
  it(
    'lead from whoever asks to etcd, to those who watch and to the instance that is probed, in one trace',
    async () => {
      const collector = await kind.start();
      ends.push(() => collector.stop());
      const service = await startService();
      const { server, http } = await startServer(collector);
      const watcher = await Watcher.open(server.url, 'services/web');
      ends.push(() => watcher.close());
      await watcher.event(({ event }) => event === 'snapshot', 'the beginning');
      const inTrace = (name: string) => spanOf(collector, (span) => span.traceId === TRACE && span.name === name);

      const body = {
        service_name: 'web',
        id: 'a',
        address: '127.0.0.1',
        port: service.port,
        health_check: { type: 'http' },
      };
      expect((await http.post('/api/v1/services', body, SENT)).status).toBe(201);
      await watcher.event(({ event }) => event === 'upsert', 'the registration');
      const request = await inTrace('POST /api/v1/services');
      expect(request).toMatchObject({
        parentId: CALLER,
        service: 'service-discovery',
        attributes: { 'http.response.status_code': '201', 'service_discovery.request_id': 'traced' },
      });
      const ofInstance = { 'service_discovery.service': 'web', 'service_discovery.instance': 'a' };
      expect(await inTrace('etcd register')).toMatchObject({ parentId: request.id, attributes: ofInstance });
      expect(await inTrace('watch deliver')).toMatchObject({ parentId: request.id, attributes: ofInstance });
      const line = await server.logged(({ msg }) => msg === 'instance registered', 'the registration');
      expect(line).toMatchObject({ trace_id: TRACE, request_id: 'traced' });

      // One that is under way already would be its own.
      const checked = ({ name, traceId }: Received) => name === 'probe http' && traceId === TRACE;
      await until(async () => {
        await http.post('/api/v1/health/a/check', undefined, SENT);
        return collector.spans.some(checked);
      }, TEST_MS / 2);
      const probe = collector.spans.find(checked)!;
      expect(probe.attributes).toMatchObject({ ...ofInstance, 'service_discovery.status': 'passing' });
      expect(service.parents).toContain(`00-${TRACE}-${probe.id}-01`);
    },
    TEST_MS,
  );
});
