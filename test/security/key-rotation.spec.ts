import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const ROTATIONS = 3;
const PATIENCE_MS = 30_000;

let server: TestServer;
let keys: KeyFile;
beforeAll(async () => {
  keys = await KeyFile.in(await temporaryFolder(), { ci: { role: 'registrar' } });
  server = await TestServer.start(keys.environment);
});
afterAll(async () => {
  await server.stop();
  await endProcesses();
});

const status = async (key: string) => (await server.http.get('/api/v1/services', bearer(key))).status;

it('a key gives way to another while it is used, and no request fails', async () => {
  let current = keys.of('ci');
  const failures: string[] = [];
  let [requests, done] = [0, false];
  const use = async () => {
    while (!done) {
      const body = { name: 'web', id: 'a', host: '127.0.0.1', port: 1 };
      const answers = [
        await server.http.get('/api/v1/services', bearer(current)),
        await server.http.post('/api/v1/services', body, bearer(current)),
      ];
      requests += answers.length;
      failures.push(...answers.filter((answer) => answer.status >= 300).map(({ text }) => text));
    }
  };
  const users = [use(), use(), use()];
  for (let i = 0; i < ROTATIONS; i++) {
    const before = current;
    const after = keys.add('ci', { role: 'registrar' });
    await keys.write();
    await until(async () => (await status(after)) === 200, PATIENCE_MS);
    current = after;
    // What is under way with the old one is answered.
    const seen = requests;
    await until(() => requests > seen + 10, PATIENCE_MS);
    keys.remove(before);
    await keys.write();
    await until(async () => (await status(before)) === 401, PATIENCE_MS);
  }
  done = true;
  await Promise.all(users);
  expect(failures).toEqual([]);
});
