import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { seedExamples, SUCCESSES } from '../support/examples.js';
import { Contract, isStream, type Operation } from '../support/contract.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { HttpClient, type Answer } from '../support/http-client.js';

// Every operation of the document, asked by everybody: exactly those get in who may.

const ROLES = ['reader', 'registrar', 'operator', 'admin'] as const;
const NAMES_SERVICE = /\{(name|service|service_name)\}/;
const PAST = '2020-01-01T00:00:00Z';

type Credential = Readonly<Record<string, string>>;

let server: TestServer;
let keys: KeyFile;
let contract: Contract;
let credentials: Readonly<Record<string, Credential>>;
/** Somebody who may do everything. */
let admin: HttpClient;

beforeAll(async () => {
  const folder = await temporaryFolder();
  keys = await KeyFile.in(folder, {
    ...Object.fromEntries(ROLES.map((role) => [role, { role, expires: '2999-01-01T00:00:00Z' }])),
    expired: { role: 'admin', expires: PAST },
    nothing: {},
    other: {},
  });
  const rules = join(folder, 'rules.json');
  const rule = { callers: ['api-key:other'], role: 'admin', services: ['other-*'] };
  await writeFile(rules, JSON.stringify({ rules: [rule] }));
  server = await TestServer.start({ ...keys.environment, AUTH_RULES_FILE: rules });
  admin = new HttpClient(server.url, bearer(keys.of('admin')));
  contract = await Contract.of(server.http);
  credentials = {
    none: {},
    wrong: bearer(keys.of('admin').replace(/.$/, '_')),
    'wrong in the header': { 'x-api-key': 'x' },
    empty: { 'x-api-key': '' },
    expired: bearer(keys.of('expired')),
    nothing: bearer(keys.of('nothing')),
    other: bearer(keys.of('other')),
    ...Object.fromEntries(ROLES.map((role) => [role, bearer(keys.of(role))])),
  };
  await seedExamples(admin);
});
afterAll(async () => {
  await Promise.all([server.stop(), admin.close()]);
  await endProcesses();
});

/** Operations that tell of all services. */
const EVERYTHING = ['getPrometheusMetrics', 'getAudit'];
const UNKNOWN = ['none', 'wrong', 'wrong in the header', 'empty', 'expired'];

function roleOf(operation: Operation): string {
  return operation['x-required-role'];
}

/** 401, 403, or undefined: it is let in. */
function refusal(operation: Operation, who: string): 401 | 403 | undefined {
  const needed = roleOf(operation);
  // Of another team: wherever the path names a service, and where everything is told.
  if (who === 'other' && needed !== 'public')
    return NAMES_SERVICE.test(operation.path) || EVERYTHING.includes(operation.operationId) ? 403 : undefined;
  if (needed === 'public') return undefined;
  if (UNKNOWN.includes(who)) return 401;
  return ROLES.indexOf(who as never) >= ROLES.indexOf(needed as never) ? undefined : 403;
}

function exampleOf({ operationId, path }: Operation): { path: string; body?: unknown } {
  const example = SUCCESSES.find(([id]) => id === operationId);
  return example ? { path: example[1], body: example[2] } : { path: path.replace(/\{\w+\}/g, 'web') };
}

/** The status; of a stream no more than that it begins. */
async function statusOf(operation: Operation, headers: Credential): Promise<number> {
  const { path, body } = exampleOf(operation);
  const gone = new AbortController();
  const method = operation.method;
  try {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: gone.signal,
    });
    return response.status;
  } finally {
    gone.abort();
  }
}

/** What a WebSocket is answered: 101 when it opens. */
function upgradeStatus(path: string, headers: Credential): Promise<number> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, { headers });
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    socket.once('error', reject);
  });
}

describe('who is not let in', () => {
  it('is told so by every operation, in the form of every problem, and nothing has happened', async () => {
    const { revision } = await admin.get('/api/v1/services');
    let refusals = 0;
    for (const operation of contract.operations) {
      for (const [who, headers] of Object.entries(credentials)) {
        const expected = refusal(operation, who);
        if (expected === undefined) continue;
        const { path, body } = exampleOf(operation);
        const answer: Answer = await server.http.send(operation.method, path, { body, headers });
        const label = [operation.operationId, who];
        expect([...label, answer.status]).toEqual([...label, expected]);
        expectProblem(answer, expected, expected === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN');
        expect(contract.complaints(operation, answer)).toEqual([]);
        if (expected === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm=/);
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(200);
    expect((await admin.get('/api/v1/services')).revision).toBe(revision);
  });

  it('gets no WebSocket either', async () => {
    for (const operation of contract.operations.filter(isStream)) {
      for (const [who, headers] of Object.entries(credentials)) {
        const expected = refusal(operation, who) ?? 101;
        expect([who, await upgradeStatus(exampleOf(operation).path, headers)]).toEqual([who, expected]);
      }
    }
  });

  it('does not learn from HEAD what GET would not tell', async () => {
    const { status, headers } = await server.http.send('HEAD', '/api/v1/services/web');
    expect([status, headers.etag]).toEqual([401, undefined]);
  });

  it('asks no replica what replicas ask each other, whatever else it may do', async () => {
    for (const path of ['seen', 'check']) {
      const send = (headers: Credential) =>
        server.http.send(path === 'seen' ? 'GET' : 'POST', `/internal/replicas/x/${path}?service=web&id=a`, {
          headers,
        });
      expectProblem(await send(credentials.admin!), 403);
      expectProblem(await send({}), 401);
    }
  });
});

describe('who is let in', () => {
  it('is each who may, wherever nothing is changed', async () => {
    for (const operation of contract.operations.filter(({ method }) => method === 'GET')) {
      for (const [who, headers] of Object.entries(credentials)) {
        if (refusal(operation, who) !== undefined) continue;
        // What an example is about, another example may have to make first: see below.
        const letIn = [200, 404].includes(await statusOf(operation, headers));
        expect([operation.operationId, who, letIn]).toEqual([operation.operationId, who, true]);
      }
    }
  });

  it('needs no more than the role that the document names', async () => {
    for (const [id, path, body] of SUCCESSES) {
      const operation = contract.operations.find(({ operationId }) => operationId === id)!;
      const headers = credentials[roleOf(operation)] ?? {};
      const answer = await server.http.send(operation.method, path, { body, headers });
      expect([id, path, answer.status < 300, answer.text]).toEqual([id, path, true, answer.text]);
    }
  });

  it('takes a ticket for its stream, once', async () => {
    const { data } = await server.http.post<{ ticket: string }>('/api/v1/watch/tickets', undefined, credentials.reader);
    const path = `/api/v1/watch/services?ticket=${data.ticket}`;
    expect(await upgradeStatus(path, {})).toBe(101);
    expect(await upgradeStatus(path, {})).toBe(401);
    expectProblem(await server.http.get(`/api/v1/services?ticket=${data.ticket}`), 401, 'UNAUTHENTICATED');
  });
});
