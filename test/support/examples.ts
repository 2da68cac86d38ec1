import type { HttpClient } from './http-client.js';
import { body, registerAll } from './instances.js';

/** What the examples below are about. */
export async function seedExamples(http: HttpClient): Promise<void> {
  await registerAll(http, 'web', {
    a: { tags: ['x'], metadata: { v: '1' }, region: 'eu', health_check: { type: 'http', http_path: '/' } },
    b: { health_check: { type: 'ttl' } },
    shared: {},
  });
  await registerAll(http, 'other', { shared: {} });
  await http.put('/api/v1/services/web/instances/b/maintenance?reason=why');
  for (const name of ['web', 'old']) await http.put(`/api/v1/config/${name}`, { a: 1 });
  for (const name of ['web', 'old']) await http.put(`/api/v1/config/${name}/schema`, {});
}

/** A request that succeeds, once its predecessors have. */
export type Example = readonly [operationId: string, path: string, sent?: unknown];

/** At least one of every operation. */
export const SUCCESSES: readonly Example[] = [
  ['register', '/api/v1/services', body({ service_name: 'web', id: 'c', health_check: { type: 'tcp' }, tags: ['t'] })],
  [
    'registerAlias',
    '/api/v1/register',
    { name: 'web', id: 'd', host: '127.0.0.1', port: 1, status: 'maintenance', ttl: '1m' },
  ],
  ['registerBatch', '/api/v1/services/batch', [body({ id: 'e' }), body({ port: 0 }), null]],
  ['registerBatch', '/api/v1/services/batch', { services: [] }],
  ['heartbeat', '/api/v1/services/web/instances/a/heartbeat'],
  ['heartbeat', '/api/v1/services/web/instances/a/heartbeat', { load_percentage: 0.5, metadata: { a: null } }],
  ['patchInstance', '/api/v1/services/web/instances/a', { tags: ['x', 'y'], weight: null }],
  ['startMaintenance', '/api/v1/services/web/instances/a/maintenance?reason=x'],
  ['endMaintenance', '/api/v1/services/web/instances/a/maintenance'],
  ['listServices', '/api/v1/services'],
  ['listServices', '/api/v1/services?include=instances,internal&tags=!nobody&healthy_only=true&limit=1'],
  ['listServices', '/api/v1/services?metadata.v=2'],
  ['getService', '/api/v1/services/web?tags=x,y'],
  ['getService', '/api/v1/services/web?tags=nobody'],
  ['listInstances', '/api/v1/services/web/instances?limit=2&region=eu'],
  ['getInstance', '/api/v1/services/web/instances/b'],
  ['pickInstance', '/api/v1/services/web/instance'],
  ['pickInstance', '/api/v1/services/web/instance?explain=true&metadata.v=1&exclude=b,c&strategy=random'],
  ['reportOutcome', '/api/v1/services/web/instances/a/outcome', { ok: true, duration_ms: 1.5 }],
  ['getTimeline', '/api/v1/services/web/timeline?limit=2'],
  ['getHealth', '/api/v1/health/web'],
  ['getHealth', '/api/v1/health/a'],
  ['listChecks', '/api/v1/health/web/checks'],
  ['checkNow', '/api/v1/health/b/check'],
  ['getServiceMetrics', '/api/v1/metrics/services'],
  ['getInstanceMetrics', '/api/v1/metrics/instances'],
  ['putConfig', '/api/v1/config/web', { a: { b: [null] } }],
  ['putConfig', '/api/v1/config/new?environment=test', {}],
  ['getConfig', '/api/v1/config/web'],
  ['getConfig', '/api/v1/config/web?version=1'],
  ['getConfig', '/api/v1/config/web?resolved=1'],
  ['putConfigSchema', '/api/v1/config/web/schema', { type: 'object' }],
  ['getConfigSchema', '/api/v1/config/web/schema'],
  ['deleteConfigSchema', '/api/v1/config/old/schema'],
  ['listConfigHistory', '/api/v1/config/web/history?limit=1'],
  ['rollBackConfig', '/api/v1/config/web/rollback', { version: 1 }],
  ['deleteConfig', '/api/v1/config/old'],
  ['getLogLevel', '/api/v1/log-level'],
  ['setLogLevel', '/api/v1/log-level', { level: 'silent' }],
  ['getAudit', '/api/v1/audit?limit=2'],
  ['getCapabilities', '/api/v1/capabilities'],
  ['issueTicket', '/api/v1/watch/tickets'],
  ['isLive', '/health/live'],
  ['isReady', '/health/ready'],
  ['getServerHealth', '/health'],
  ['getPrometheusMetrics', '/metrics'],
  ['heartbeatRegister', '/v1/discovery/register', { service_name: 'beats', instance_id: 'i', host: 'h', port: 1 }],
  ['heartbeatBeat', '/v1/discovery/heartbeat', { service_name: 'beats', instance_id: 'i' }],
  ['heartbeatServices', '/v1/discovery/services'],
  ['heartbeatService', '/v1/discovery/services/web'],
  ['heartbeatHealthy', '/v1/discovery/services/web/healthy'],
  ['heartbeatUnregister', '/v1/discovery/unregister/beats/i'],
  ['gatewayRegister', '/service-discovery/register', { service_name: 'gate', host: 'h', port: 1, tags: ['t'] }],
  ['gatewayDiscover', '/service-discovery/discover/gate'],
  ['gatewayServices', '/service-discovery/services'],
  ['gatewayHealthyServices', '/service-discovery/services/healthy'],
  ['gatewayServicesByTag', '/service-discovery/services/by-tag/t'],
  ['gatewayHealth', '/service-discovery/health/aggregated'],
  ['gatewayDeregister', '/service-discovery/deregister/gate/gate-h-1'],
  ['deregister', '/api/v1/services/web/instances/c'],
  ['deregisterById', '/api/v1/deregister/shared?service=other'],
];
