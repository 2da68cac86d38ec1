import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Authority, type KeyPair } from '../support/certificates.js';
import { HttpClient } from '../support/http-client.js';
import { body } from '../support/instances.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const PATIENCE_MS = 30_000;
const WEB = 'spiffe://example.test/ns/default/sa/web-1';

let server: TestServer;
let ca: string;
let trusted: string;
let strangers: Authority;
let keys: KeyFile;
const clients: HttpClient[] = [];
let web: HttpClient;

async function clientWith({ cert, key }: KeyPair): Promise<HttpClient> {
  const client = new HttpClient(server.url, {}, { ca, cert: await readFile(cert), key: await readFile(key) });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  const folder = await temporaryFolder();
  const authority = await Authority.in(folder);
  strangers = await Authority.in(folder, 'strangers');
  const own = await authority.sign('server');
  ca = await readFile(authority.cert, 'utf8');
  trusted = join(folder, 'trusted.crt');
  await copyFile(authority.cert, trusted);
  keys = await KeyFile.in(folder, { ci: { role: 'reader' } });
  const rule = { callers: ['client-certificate:spiffe://example.test/*'], role: 'registrar', services: ['web'] };
  const rules = join(folder, 'rules.json');
  await writeFile(rules, JSON.stringify({ rules: [{ ...rule, instances: ['{caller}'] }] }));
  const environment = {
    ...keys.environment,
    AUTH_RULES_FILE: rules,
    TLS_ENABLED: 'true',
    TLS_CERT_FILE: own.cert,
    TLS_KEY_FILE: own.key,
    TLS_CLIENT_CA_FILE: trusted,
  };
  server = await TestServer.start(environment, { ca });
  web = await clientWith(await authority.sign('web', `URI:${WEB},DNS:web.example.test`));
});
afterAll(async () => {
  await Promise.all([server.stop(), ...clients.map((client) => client.close())]);
  await endProcesses();
});

it('a certificate says who asks, by its SPIFFE id, and rules say what that one may do', async () => {
  const answer = await web.post('/api/v1/services', body({ service_name: 'web', id: 'web-1' }));
  expect(answer.status).toBe(201);
  expectProblem(await web.post('/api/v1/services', body({ service_name: 'web', id: 'web-2' })), 403);
  const { data } = await web.get<{ actor: string }[]>('/api/v1/services/web/timeline', bearer(keys.of('ci')));
  expect(data[0]!.actor).toBe(`client-certificate:${WEB}@127.0.0.1`);
});

it('what a request brings itself counts before it', async () => {
  expect((await web.get('/api/v1/services/web', bearer(keys.of('ci')))).status).toBe(200);
  expectProblem(await web.get('/api/v1/services/web', bearer('nobody')), 401);
});

it('whoever shows none has other credentials, or none: health is asked without', async () => {
  expect((await server.http.get('/health/live')).status).toBe(200);
  expectProblem(await server.http.get('/api/v1/services'), 401);
  expect((await server.http.get('/api/v1/services', bearer(keys.of('ci')))).status).toBe(200);
});

it('an authority that comes to be trusted is, and one that is no more ends what was open', async () => {
  const stranger = await clientWith(await strangers.sign('stranger', `URI:${WEB}`));
  expectProblem(await stranger.get('/api/v1/services'), 401);
  const both = await readFile(trusted, 'utf8');
  await appendFile(trusted, await readFile(strangers.cert, 'utf8'));
  await until(async () => (await stranger.get('/api/v1/services')).status === 200, PATIENCE_MS);
  // Its connection is kept, and ends with the answer that tells of it.
  await writeFile(trusted, both);
  await until(async () => (await stranger.get('/api/v1/services')).status === 401, PATIENCE_MS);
  expect((await web.get('/api/v1/services')).status).toBe(200);
});
