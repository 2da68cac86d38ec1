import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Contract, isStream, type Operation } from '../support/contract.js';
import type { Answer, Sent } from '../support/http-client.js';
import { seedExamples, SUCCESSES } from '../support/examples.js';
import { body, registerAll } from '../support/instances.js';
import { TestServer } from '../support/server.js';

// Each route answers as the document says it does: with every success, and with every problem that a
// caller can bring about by itself. What is not asked for here is in EXEMPT, by name.

let server: TestServer;
let contract: Contract;
beforeAll(async () => {
  server = await TestServer.start();
  contract = await Contract.of(server.http);
  await seedExamples(server.http);
});
afterAll(() => server.stop());

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
const EXEMPT = [401, 403, 429, 500, 501, 503];

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
