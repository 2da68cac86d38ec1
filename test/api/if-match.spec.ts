import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { instancePath, fresh, register } from '../support/instances.js';
import type { Method } from '../support/http-client.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const WRITES: readonly (readonly [string, Method, string, object | undefined])[] = [
  ['a patch', 'PATCH', '', { weight: 3 }],
  ['maintenance', 'PUT', '/maintenance', undefined],
  ['the end of maintenance', 'DELETE', '/maintenance', undefined],
  ['a deregistration', 'DELETE', '', undefined],
];

describe('If-Match', () => {
  it.each(WRITES)(
    'lets %s through while the instance is as it was read, and not after',
    async (_, method, at, body) => {
      const { http } = server;
      const name = fresh();
      await register(http, { service_name: name, id: 'a' });
      const path = instancePath(name, 'a');
      const { etag } = await http.get(path);
      await http.put(`${path}/heartbeat`, { load_percentage: 0.5 });
      expect((await http.patch(path, { tags: ['other'] })).status).toBe(200);

      const write = (ifMatch: string) => http.send(method, `${path}${at}`, { body, headers: { 'if-match': ifMatch } });
      expectProblem(await write(etag), 412, 'PRECONDITION_FAILED');
      expectProblem(await write('"other"'), 412, 'PRECONDITION_FAILED');
      expectProblem(await write(`W/${etag}`), 412, 'PRECONDITION_FAILED');
      expect((await http.get<{ tags: string[] }>(path)).data.tags).toEqual(['other']);
      const { etag: now } = await http.get(path);
      expect([200, 204]).toContain((await write(`"other", ${now}`)).status);
    },
  );

  it('with * wants the instance to be there', async () => {
    const path = instancePath(fresh(), 'a');
    const headers = { 'if-match': '*' };
    expectProblem(await server.http.send('DELETE', path, { headers }), 412, 'PRECONDITION_FAILED');
  });

  it('lets one of two writers through', async () => {
    const { http } = server;
    const name = fresh();
    await register(http, { service_name: name, id: 'a' });
    const path = instancePath(name, 'a');
    const headers = { 'if-match': (await http.get(path)).etag };
    const answers = await Promise.all(
      [1, 2, 3, 4].map((weight) => http.send('PATCH', path, { body: { weight }, headers })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });
});
