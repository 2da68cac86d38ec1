import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, ServerProcess, temporaryFolder, TEST_MS } from '../support/process.js';

// What is planted is told nobody: neither in the log, nor in answers, metrics or what is in force.

afterAll(endProcesses);

const SHARED = 'planted-shared-secret-1';
const REPLICA = 'planted-replica-secret-2';
const TOKEN = 'planted-jwt-secret-3-that-is-long-enough';
const WRONG = 'planted-wrong-credential-4';

it(
  'no secret is to be found in what a server says',
  async () => {
    const folder = await temporaryFolder();
    const keys = await KeyFile.in(folder, { ci: { role: 'admin' } });
    const key = keys.of('ci');
    const environment = {
      ...keys.environment,
      SERVICE_DISCOVERY_SECRET: SHARED,
      REPLICA_SECRET: REPLICA,
      ...{ JWT_ENABLED: 'true', JWT_SECRET: TOKEN, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' },
      LOG_LEVEL: 'debug',
      LOG_REQUESTS: 'true',
    };
    const shown = await ServerProcess.run(environment, ['--print-config']);
    const refused = await ServerProcess.run({ ...environment, SERVICE_PORT: '-1', JWT_SECRET: TOKEN.slice(0, 20) });
    const server = await ServerProcess.start(environment);
    const said = [shown.stdout, shown.stderr, refused.stdout, refused.stderr];
    const ask = async (path: string, headers: Record<string, string>, init: RequestInit = {}) => {
      const response = await fetch(`${server.url}${path}`, { ...init, headers });
      said.push(JSON.stringify([...response.headers]), await response.text());
    };
    const good = [bearer(key), { 'x-api-key': key }, bearer(SHARED)];
    const bad = [bearer(WRONG), { 'x-api-key': WRONG }, bearer(`${WRONG}.a.b`), { authorization: `Replica ${WRONG}` }];
    for (const headers of [...good, ...bad]) {
      for (const path of ['/api/v1/services', '/api/v1/nowhere', '/api/v1/services?unknown=1', '/metrics', '/health'])
        await ask(path, headers);
      const body = JSON.stringify({ name: 'web', host: '127.0.0.1', port: 1 });
      await ask('/api/v1/services', { ...headers, 'content-type': 'application/json' }, { method: 'POST', body });
      await ask('/api/v1/services', { ...headers, 'content-type': 'application/json' }, { method: 'POST', body: '{' });
    }
    // By mistake, the key itself in the place of its hash.
    await writeFile(join(folder, 'keys.json'), JSON.stringify({ keys: [{ name: 'ci', sha256: key }] }));
    await server.logged(({ level }) => level === 'error', 'what is wrong with the keys');
    await writeFile(join(folder, 'keys.json'), `{"keys": [{"name": "ci", "sha256": "${key}"`);
    await server.logged(({ reason }) => reason === 'is not JSON', 'what is wrong with the file');
    await ask('/metrics', bearer(key));
    await server.end('SIGTERM');

    const all = [...said, server.stdout, server.stderr].join('\n');
    expect(all).toContain('api-key:ci@');
    expect(server.log.length).toBeGreaterThan(20);
    for (const planted of [key, SHARED, REPLICA, TOKEN, TOKEN.slice(0, 20), WRONG]) expect(all).not.toContain(planted);
  },
  TEST_MS,
);
