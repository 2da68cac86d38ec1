import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/instances.js';
import { expectProblem } from '../support/problems.js';
import { endProcesses, ServerProcess, TEST_MS } from '../support/process.js';

const PATH = '/api/v1/log-level';

let server: ServerProcess;
let http: HttpClient;
beforeAll(async () => {
  server = await ServerProcess.start();
  http = new HttpClient(server.url);
}, TEST_MS);
afterAll(async () => {
  await http.close();
  await endProcesses();
});

it('is set while the server runs, by whom the log says', async () => {
  await http.put(PATH, { level: 'error' });
  expect((await http.get(PATH)).data).toEqual({ level: 'error' });
  await register(http, { service_name: 'unseen' });
  await http.put(PATH, { level: 'info' });
  await register(http, { service_name: 'seen' });
  await server.logged(({ msg, serviceName }) => msg === 'instance registered' && serviceName === 'seen', 'the second');
  expect(server.log.filter(({ serviceName }) => serviceName === 'unseen')).toEqual([]);
  expect(server.log.find(({ msg }) => msg === 'log level set')).toMatchObject({
    level: 'warn',
    before: 'info',
    now: 'error',
    actor: expect.any(String),
  });
});

it('is one of those that there are', async () => {
  expectProblem(await http.put(PATH, { level: 'loud' }), 400);
});
