import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Contract, isStream, type Operation } from '../support/contract.js';
import type { Answer, Sent } from '../support/http-client.js';
import { body, registerAll } from '../support/instances.js';
import { TestServer } from '../support/server.js';

// Each route answers as the document says it does: with every success, and with every problem that a
// caller can bring about by itself. What is not asked for here is in EXEMPT, by name.

let server: TestServer;
let contract: Contract;
beforeAll(async () => {
  server = await TestServer.start();
  contract = await Contract.of(server.http);
  await registerAll(server.http, 'web', {
    a: { tags: ['x'], metadata: { v: '1' }, region: 'eu', health_check: { type: 'http', http_path: '/' } },
    b: { health_check: { type: 'ttl' } },
    shared: {},
  });
  await registerAll(server.http, 'other', { shared: {} });
  await server.http.put('/api/v1/services/web/instances/b/maintenance?reason=why');
  for (const name of ['web', 'old']) await server.http.put(`/api/v1/config/${name}`, { a: 1 });
  for (const name of ['web', 'old']) await server.http.put(`/api/v1/config/${name}/schema`, {});
});
afterAll(() => server.stop());

type Example = readonly [operationId: string, path: string, sent?: unknown];

const SUCCESSES: readonly Example[] = [
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

/** How to bring a status about; undefined where the route cannot. */
type Provocation = (operation: Operation) => (Sent & { readonly path: string }) | undefined;

function target(operation: Operation, value = 'nobody'): string {
  return operation.path.replace(/\{\w+\}/g, value);
}

const hasBody = ({ method }: Operation) => method !== 'GET';
const ofApi = ({ path }: Operation) => path.startsWith('/api/');
/** What is sent where it matters little; a rollback needs to know whereto. */
const bodyOf = ({ operationId }: Operation) => (operationId === 'rollBackConfig' ? { version: 1 } : {});
const hasPlace = ({ path }: Operation) => path.includes('{');

const PROVOCATIONS: Readonly<Record<number, Provocation>> = {
  304: (operation) => {
    const known = SUCCESSES.find(([id]) => id === operation.operationId);
    return { path: known![1].replace(/\/b$/, '/a'), headers: { 'if-none-match': '*' } };
  },
  400: (operation) =>
    ofApi(operation)
      ? { path: `${target(operation, 'x')}?unknown=1`, body: hasBody(operation) ? {} : undefined }
      : undefined,
  401: (operation) => ({ path: `${target(operation, 'x')}?ticket=nobodys` }),
  404: (operation) =>
    hasPlace(operation)
      ? { path: target(operation), body: hasBody(operation) ? bodyOf(operation) : undefined }
      : undefined,
  406: (operation) => ({ path: target(operation), headers: { accept: 'text/html' } }),
  409: (operation) => {
    const byId = ['getHealth', 'listChecks', 'checkNow', 'deregisterById'].includes(operation.operationId);
    return byId ? { path: target(operation, 'twice') } : undefined;
  },
  412: (operation) => ({
    path: target(operation, operation.path.includes('/config/') ? 'web' : 'x'),
    body: hasBody(operation) ? bodyOf(operation) : undefined,
    headers: { 'if-match': '"1000"' },
  }),
  413: (operation) => ({ path: target(operation, 'x'), body: JSON.stringify('x'.repeat(5_000_000)) }),
  414: (operation) => (hasPlace(operation) ? { path: target(operation, 'x'.repeat(5_000)) } : undefined),
  415: (operation) => ({ path: target(operation, 'x'), body: 'text', headers: { 'content-type': 'text/plain' } }),
  431: (operation) => ({ path: target(operation, 'x'), headers: { 'x-long': 'x'.repeat(20_000) } }),
};

/** No caller brings these about by what it sends; other tests do, by what they do to the server. */
const EXEMPT = [403, 500, 501, 503];

function operationOf(id: string): Operation {
  const operation = contract.operations.find(({ operationId }) => operationId === id);
  if (!operation) throw new Error(`no operation ${id}`);
  return operation;
}

async function ask(operation: Operation, path: string, sent: Sent = {}): Promise<Answer> {
  const answer = await server.http.send(operation.method, path, sent);
  expect(contract.complaints(operation, answer)).toEqual([]);
  return answer;
}

describe('successes are as documented', () => {
  it.each(SUCCESSES.map(([id, path, sent]) => ({ id, path, sent })))('$id $path', async ({ id, path, sent }) => {
    const operation = operationOf(id);
    const answer = await ask(operation, path, { body: sent });
    expect(answer.status).toBeLessThan(300);
    const schema = contract.schemaAt(
      'paths',
      operation.path,
      operation.method.toLowerCase(),
      'requestBody',
      'content',
      'application/json',
      'schema',
    );
    // What we send as an example is what the document asks for. A batch takes bad ones too.
    if (sent !== undefined && id !== 'registerBatch')
      expect([id, schema!(sent), schema!.errors]).toEqual([id, true, null]);
  });

  it('for every operation', () => {
    const shown = new Set(SUCCESSES.map(([id]) => id));
    // What streams say is in watch.spec.ts.
    const ending = contract.operations.filter((operation) => !isStream(operation));
    expect([...shown].sort()).toEqual(ending.map(({ operationId }) => operationId).sort());
  });
});

describe('problems are as documented', () => {
  beforeAll(() => Promise.all(['one', 'two'].map((name) => registerAll(server.http, name, { twice: {} }))));

  it.each(Object.keys(PROVOCATIONS).map(Number))('%d, wherever the document has it', async (status) => {
    const documenting = contract.operations.filter(({ responses }) => responses[status]);
    expect(documenting.length).toBeGreaterThan(0);
    let provoked = 0;
    for (const operation of documenting) {
      const provocation = PROVOCATIONS[status]!(operation);
      if (!provocation) continue;
      const { path, ...sent } = provocation;
      const answer = await ask(operation, path, sent);
      expect([operation.operationId, answer.status]).toEqual([operation.operationId, status]);
      provoked++;
    }
    expect(provoked).toBeGreaterThan(0);
  });

  it('and of no status that nobody has tried', () => {
    const documented = new Set(contract.operations.flatMap(({ responses }) => Object.keys(responses).map(Number)));
    const tried = [...Object.keys(PROVOCATIONS).map(Number), ...EXEMPT];
    expect([...documented].filter((status) => status >= 300 && !tried.includes(status))).toEqual([]);
  });
});

describe('what a request may be', () => {
  const invalid: readonly (readonly [schema: string, body: unknown])[] = [
    ['RegistrationInput', {}],
    ['RegistrationInput', body({ service_name: null })],
    ['RegistrationInput', body({ service_name: '..' })],
    ['RegistrationInput', body({ id: 'a/b' })],
    ['RegistrationInput', body({ port: '80' })],
    ['RegistrationInput', body({ ttl: 'soon' })],
    ['RegistrationInput', body({ ttl: '' })],
    ['RegistrationInput', body({ ttl: 4 })],
    ['RegistrationInput', body({ metadata: { k: {} } })],
    ['RegistrationInput', body({ metadata: Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`k${i}`, ''])) })],
    ['RegistrationInput', body({ tags: [''] })],
    ['RegistrationInput', body({ path: '/a b' })],
    ['RegistrationInput', body({ health_check: { interval: 0 } })],
    ['HeartbeatInput', { status: 'maintenance' }],
    ['PatchInput', { weight: -1 }],
    ['OutcomeInput', { ok: 'yes' }],
    ['ConfigInput', []],
    ['RollbackInput', { version: 0 }],
  ];

  it.each(invalid)('%s is not %j: the document and the server agree', async (name, sent) => {
    const schema = contract.schemaAt('components', 'schemas', name)!;
    expect(schema(sent)).toBe(false);
    const operation = contract.operations.find(({ requestBody }) =>
      JSON.stringify(requestBody ?? {}).includes(`/${name}"`),
    )!;
    const path = operation.path.replace(/\{(name|service)\}/, 'web').replace('{id}', 'a');
    const answer = await ask(operation, path, { body: sent });
    expect(answer.status).toBe(400);
  });

  it.each([5, 5.5, '5', '5s', '1m30s', '1d', '90m', '5000ms', '1.5h', ' 10s '])(
    'a duration of %j is one',
    async (ttl) => {
      const sent = body({ service_name: 'web', id: 'ttl', ttl });
      expect(contract.schemaAt('components', 'schemas', 'RegistrationInput')!(sent)).toBe(true);
      expect((await ask(operationOf('register'), '/api/v1/services', { body: sent })).status).toBe(201);
    },
  );
});
