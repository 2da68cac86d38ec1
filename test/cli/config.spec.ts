import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Contract } from '../support/contract.js';
import { instancePath, registerAll } from '../support/instances.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { Sdctl, type Result } from './support/sdctl.js';

let server: TestServer;
let sdctl: Sdctl;

beforeAll(async () => {
  server = await TestServer.start();
  sdctl = new Sdctl(server.url);
});
afterAll(async () => {
  await server.stop();
  await endProcesses();
});

/** Ages move while tests run. */
function still({ code, stdout, stderr }: Result): object {
  return { code, stdout: stdout.replace(/(^| )\d+[smh] +/gm, '$1# '), stderr };
}

function set(service: string, config: unknown, ...options: string[]): Promise<Result> {
  return sdctl.run(['config', 'set', service, '-f', '-', ...options], JSON.stringify(config));
}

describe('sdctl config', () => {
  it('does not set twice what is under a condition, and says that it may have been set', async () => {
    let asked = 0;
    const silent = createServer((request) => {
      asked++;
      request.socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { code, stderr } = await new Sdctl(`${url},${url}`).run(
      ['config', 'set', 'orders', '-f', '-', '--if-match', '1'],
      '{}',
    );
    silent.close();
    expect([code, asked, stderr]).toEqual([5, 1, expect.stringContaining('it is not known whether this was done')]);
  });

  it('sets a document from a file or standard input, shows it and its history, and goes back', async () => {
    const file = join(await temporaryFolder(), 'orders.json');
    await writeFile(file, '{"timeout_ms": 500, "db": {"a/b": "h", "none": {}}}');
    expect(await sdctl.run(['config', 'set', 'orders', '-f', file])).toMatchInlineSnapshot(`
     {
       "code": 0,
       "stderr": "",
       "stdout": "SERVICE  ENVIRONMENT  VERSION
     orders   production   1
     ",
     }
    `);
    expect(await set('orders', { timeout_ms: 800 }, '-o', 'name')).toEqual({ code: 0, stdout: '2\n', stderr: '' });
    expect(still(await sdctl.run(['config', 'get', 'orders', '1']))).toMatchInlineSnapshot(`
     {
       "code": 0,
       "stderr": "",
       "stdout": "orders in production: version 1, # ago by anonymous@127.0.0.1
     KEY          VALUE
     /timeout_ms  500
     /db/a~1b     "h"
     /db/none     {}
     ",
     }
    `);
    expect(await sdctl.run(['config', 'rollback', 'orders', '1', '-o', 'name'])).toMatchObject({ stdout: '3\n' });
    expect((await sdctl.run(['config', 'get', 'orders', '-o', 'name'])).stdout).toBe(
      '/timeout_ms\n/db/a~1b\n/db/none\n',
    );
    await server.http.delete('/api/v1/config/orders');
    expect(still(await sdctl.run(['config', 'history', 'orders']))).toMatchInlineSnapshot(`
     {
       "code": 0,
       "stderr": "",
       "stdout": "VERSION  AGO  BY                   WHAT
     4        # anonymous@127.0.0.1  deleted
     3        # anonymous@127.0.0.1  back to 1
     2        # anonymous@127.0.0.1  put
     1        # anonymous@127.0.0.1  put
     ",
     }
    `);
    expect(await sdctl.run(['config', 'get', 'orders'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('shows what the layers come to, and where each value is from', async () => {
    await set('*', { log: 'info', db: { host: 'a', port: 1 } }, '-e', '*');
    await set('*', { db: { host: 'b' } }, '-e', 'staging');
    await set('shop', { db: { port: null } }, '-e', 'staging');
    expect(await sdctl.run(['config', 'get', 'shop', '-e', 'staging', '--resolved'])).toMatchInlineSnapshot(`
     {
       "code": 0,
       "stderr": "",
       "stdout": "shop in staging: base 1, environment 1, service 1
     KEY       VALUE   FROM
     /log      "info"  base
     /db/host  "b"     environment
     ",
     }
    `);
    expect(await sdctl.run(['config', 'get', 'shop'])).toMatchObject({ code: 2 });
  });

  it('writes only what nobody has written before, when it is told to', async () => {
    expect(await set('counter', { n: 0 }, '--if-match', '0')).toMatchObject({ code: 0 });
    expect(await set('counter', { n: 1 }, '--if-match', '1', '-o', 'name')).toMatchObject({ code: 0, stdout: '2\n' });
    const late = await set('counter', { n: 2 }, '--if-match', '1');
    expect(late).toMatchInlineSnapshot(`
     {
       "code": 4,
       "stderr": "sdctl: the document is at version 2
     ",
       "stdout": "",
     }
    `);
    expect(await set('counter', {}, '--if-match', '0')).toMatchObject({ code: 4 });
    const back = ['config', 'rollback', 'counter', '1', '--if-match'];
    expect(await sdctl.run([...back, '1'])).toMatchObject({ code: 4 });
    expect(await sdctl.run([...back, '2'])).toMatchObject({ code: 0 });
  });

  it('leaves a document as it is, and its mistakes to the server', async () => {
    const unsafe = await sdctl.run(['config', 'set', 'exact', '-f', '-'], '{"n": 9007199254740993}');
    expect(unsafe).toMatchObject({ code: 1, stdout: '' });
    expect(unsafe.stderr).toMatch(/^sdctl: .*\bn\b/);
    expect(await sdctl.run(['config', 'set', 'exact', '-f', '-'], '{')).toMatchObject({ code: 1, stdout: '' });
    const missing = await sdctl.run(['config', 'set', 'exact', '-f', '/no/such/file']);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/^sdctl: ENOENT.*\/no\/such\/file/) });
    expect(await sdctl.run(['config', 'get', 'exact'])).toMatchObject({ code: 2 });
  });
});

describe('sdctl timeline', () => {
  it('shows what has happened to a service, newest first', async () => {
    await registerAll(server.http, 'api', { one: { ttl: 300 } });
    await sdctl.run(['maintenance', 'on', 'api', 'one', '--reason', 'new disk']);
    await server.http.delete(instancePath('api', 'one'));
    expect(still(await sdctl.run(['timeline', 'api']))).toMatchInlineSnapshot(`
     {
       "code": 0,
       "stderr": "",
       "stdout": "AGO  ID   WHAT          STATUS                 BY                   WHY
     # one  deregistered  maintenance → -        anonymous@127.0.0.1
     # one  maintenance   passing → maintenance  anonymous@127.0.0.1  on: new disk
     # one  registered    passing                anonymous@127.0.0.1
     ",
     }
    `);
    expect(await sdctl.run(['timeline', 'nobody'])).toMatchObject({ code: 2 });
  });
});

it.each([
  [['config', 'get', 'typed'], 'getConfig'],
  [['config', 'get', 'typed', '--resolved'], 'getConfig'],
  [['config', 'history', 'typed'], 'listConfigHistory'],
  [['config', 'rollback', 'typed', '1'], 'rollBackConfig'],
  [['timeline', 'typed'], 'getTimeline'],
])('%j -o json is what the document says of %s', async (args, operationId) => {
  await registerAll(server.http, 'typed', { one: {} });
  await set('typed', { a: 1 });
  const valid = (await Contract.of(server.http)).dataOf(operationId);
  const { code, stdout } = await sdctl.run([...args, '-o', 'json']);
  expect(code).toBe(0);
  valid(JSON.parse(stdout));
  expect(valid.errors).toBeNull();
});
