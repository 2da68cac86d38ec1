import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigReader } from '../support/config-reader.js';
import { fresh } from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const put = (path: string, body: unknown) => server.http.put(`/api/v1/config/${path}`, body);

describe.each([
  ['an EventSource', (path: string) => ConfigReader.bySse(server.url, path)],
  ['a WebSocket', (path: string) => ConfigReader.byWebSocket(server.url, path)],
])('%s', (_, open) => {
  it('is told the document, then each version in order, and of its end', async () => {
    const name = fresh();
    await put(name, { n: 1 });
    await put(name, { n: 2 });
    const reader = open(name);
    await reader.until(2);
    for (let n = 3; n <= 30; n++) await put(name, { n });
    await server.http.delete(`/api/v1/config/${name}`);
    await put(`${name}?environment=staging`, { other: true });
    await put(name, { n: 32 });
    await reader.until(32);
    reader.close();
    expect(reader.versions).toEqual(Array.from({ length: 31 }, (_each, i) => i + 2));
    expect(reader.told[0]).toMatchObject({ event: 'config', service_name: name, environment: 'production' });
    expect(reader.told.map(({ config, deleted }) => deleted ?? config?.n)).toEqual([
      ...Array.from({ length: 29 }, (_each, i) => i + 2),
      true,
      32,
    ]);
  });

  it('is told that there is none yet', async () => {
    const name = fresh();
    const reader = open(`${name}?environment=test`);
    await reader.until(0);
    expect(reader.told[0]).toEqual({
      ...{ event: 'config', service_name: name, environment: 'test', version: 0, deleted: true },
    });
    await put(`${name}?environment=test`, {});
    await reader.until(1);
    reader.close();
  });

  it('goes on where it was, or begins anew where that is not kept any more', async () => {
    const name = fresh();
    for (let n = 1; n <= 105; n++) await put(name, { n });
    const back = open(`${name}?since=103`);
    await back.until(105);
    expect(back.versions).toEqual([104, 105]);
    back.close();
    for (const since of [3, 999]) {
      const late = open(`${name}?since=${since}`);
      await late.until(105);
      expect(late.told.map(({ event, version }) => [event, version])).toEqual([['resync', 105]]);
      late.close();
    }
  });
});

it('the last event of an EventSource is where it goes on', async () => {
  const name = fresh();
  for (let n = 1; n <= 3; n++) await put(name, { n });
  const ask = async (id: string) => {
    const headers = { accept: 'text/event-stream', 'last-event-id': id };
    const gone = new AbortController();
    const response = await fetch(`${server.url}/api/v1/config/watch/${name}`, { headers, signal: gone.signal });
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (text.includes('data: ')) break;
    }
    gone.abort();
    return text;
  };
  expect(await ask('2')).toMatch(/event: config\nid: 3\n/);
  expect(await ask('of another')).toMatch(/event: resync\nid: 3\n/);
});

it('what cannot be watched is refused before the stream begins', async () => {
  const path = '/api/v1/config/watch';
  expectBadInput(await server.http.get(`${path}/x?since=now`), 'since');
  expectBadInput(await server.http.get(`${path}/x?environment=*`), 'environment');
  expectProblem(await server.http.get(`${path}/watch`), 400, 'RESERVED_NAME');
  expectProblem(await server.http.get(`${path}/x?ticket=none`), 401, 'TICKET_NOT_VALID');
});
