import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { body, instancePath } from '../support/instances.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

interface Entry {
  readonly actor: string;
  readonly operation: string;
  readonly status: number;
  readonly request_id: string;
}

let server: TestServer;
let keys: KeyFile;
let file: string;
beforeAll(async () => {
  const folder = await temporaryFolder();
  file = join(folder, 'audit.log');
  keys = await KeyFile.in(folder, { ci: { role: 'registrar' }, root: { role: 'admin' } });
  server = await TestServer.start({ ...keys.environment, AUDIT_FILE: file });
});
afterAll(endProcesses);

async function entries(query = ''): Promise<readonly Entry[]> {
  return (await server.http.get<Entry[]>(`/api/v1/audit${query}`, bearer(keys.of('root')))).data;
}

describe('the audit', () => {
  it('tells who did what to what, from where, with what result, newest first; and so does the file', async () => {
    const [ci, root] = ['ci', 'root'].map((name) => bearer(keys.of(name)));
    const { http } = server;
    const registered = await http.post('/api/v1/services', body({ service_name: 'web', id: 'a' }), ci);
    const path = instancePath('web', 'a');
    await http.put(`${path}/heartbeat`, undefined, ci);
    await http.get('/api/v1/services', ci);
    await http.put('/api/v1/config/web?environment=test', { password: 'a planted secret' }, ci);
    await http.put('/api/v1/config/web?environment=test', { password: 'a planted secret' }, root);
    await http.delete(path, bearer('guess'));
    await http.put(`${path}/heartbeat`, undefined, bearer('a guess'));

    const nobody = { actor: 'unknown', address: '127.0.0.1', status: 401, environment: null };
    const web = { service: 'web', instance: null, environment: 'test', address: '127.0.0.1' };
    const expected = [
      { ...nobody, operation: 'PUT /api/v1/services/:name/instances/:id/heartbeat', service: 'web', instance: 'a' },
      { ...nobody, operation: 'DELETE /api/v1/services/:name/instances/:id', service: 'web', instance: 'a' },
      { ...web, actor: 'api-key:root', operation: 'PUT /api/v1/config/:service', status: 201 },
      { ...web, actor: 'api-key:ci', operation: 'PUT /api/v1/config/:service', status: 403 },
      {
        ...web,
        actor: 'api-key:ci',
        operation: 'POST /api/v1/services',
        status: 201,
        instance: 'a',
        environment: null,
      },
    ];
    // What is answered may be there before it is told of.
    await until(async () => (await entries()).length === expected.length, 30_000);
    expect(await entries()).toMatchObject(expected);
    expect((await entries()).at(-1)!.request_id).toBe(registered.headers['x-request-id']);
    expect(await entries('?limit=1')).toMatchObject(expected.slice(0, 1));

    await server.stop();
    const text = await readFile(file, 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry);
    expect(lines.map(({ actor, status }) => [actor, status])).toEqual(
      expected.toReversed().map(({ actor, status }) => [actor, status]),
    );
    expect(text).not.toMatch(/planted|guess/);
  });

  it('needs a file that can be written', async () => {
    await expect(TestServer.start({ AUDIT_FILE: '/no/such/folder/audit.log' })).rejects.toThrow(
      /^AUDIT_FILE=\/no\/such\/folder\/audit.log: ENOENT/,
    );
  });
});
