import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { freePort } from '../servers/ports.js';
import { Contract } from '../support/contract.js';
import { registerAll } from '../support/instances.js';
import { KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { Sdctl, type Result } from './support/sdctl.js';

/** What would move the cursor, colour what follows or turn its direction, if it reached a terminal. */
const HOSTILE = '\u001b[2J\u009b31m\u202eevil';

let server: TestServer;
let sdctl: Sdctl;

beforeAll(async () => {
  server = await TestServer.start();
  sdctl = new Sdctl(server.url);
  await registerAll(server.http, 'api', {
    'api-1': { address: '10.0.0.1', tags: ['v1', 'public'], metadata: { version: '1.4.2', team: 'checkout' } },
    'api-2': { address: '10.0.0.2', tags: ['v1'], zone: 'a', weight: 50, status: 'critical' },
    注文サービス: { address: '10.0.0.3', tags: ['注文'], metadata: { note: HOSTILE } },
  });
  await registerAll(server.http, 'a-service-with-a-name-that-takes-more-than-its-share-of-a-narrow-terminal', {
    one: { tags: ['a-tag-that-is-rather-long-too', 'and-another-one'] },
  });
});
afterAll(async () => {
  await server.stop();
  await endProcesses();
});

/** Ages move while tests run: they are shown as `#`. None is wider than what its column is called. */
function still(text: string): string {
  return text.replace(/ \d+[smhd](?: {2,}|$)/gm, (age) => ' #'.padEnd(age.length)).replace(/ +$/gm, '');
}

describe('tables', () => {
  it('are as wide as they are in a pipe, without colours', async () => {
    const { code, stdout, stderr } = await sdctl.run(['services']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatchInlineSnapshot(`
     "SERVICE                                                                    STATUS   HEALTHY  TAGS
     a-service-with-a-name-that-takes-more-than-its-share-of-a-narrow-terminal  passing  1/1      a-tag-that-is-rather-long-too,and-another-one
     api                                                                        warning  2/3      public,v1,注文
     "
    `);
  });

  it.each([80, 200])('fit a terminal of %i columns', async (columns) => {
    const { code, stdout } = await sdctl.with({ NO_COLOR: '1' }).inTerminal(columns, ['instances']);
    expect(code).toBe(0);
    expect(still(stdout)).toMatchSnapshot();
  });

  it('have colours in a terminal', async () => {
    const { stdout } = await sdctl.inTerminal(80, ['services']);
    expect(JSON.stringify(stdout)).toMatchInlineSnapshot(
      `""\\u001b[1mSERVICE\\u001b[22m                                                         \\u001b[1mSTATUS\\u001b[22m   \\u001b[1mHEALTHY\\u001b[22m\\na-service-with-a-name-that-takes-more-than-its-share-of-a-nar…  \\u001b[32mpassing\\u001b[39m  1/1\\napi                                                             \\u001b[33mwarning\\u001b[39m  2/3\\n""`,
    );
  });

  it('have colours in a pipe when they are asked for, and the width that is', async () => {
    const { stdout } = await sdctl.with({ FORCE_COLOR: '1', COLUMNS: '40' }).run(['services']);
    expect(JSON.stringify(stdout)).toMatchInlineSnapshot(
      `""\\u001b[1mSERVICE\\u001b[22m                 \\u001b[1mSTATUS\\u001b[22m   \\u001b[1mHEALTHY\\u001b[22m\\na-service-with-a-name…  \\u001b[32mpassing\\u001b[39m  1/1\\napi                     \\u001b[33mwarning\\u001b[39m  2/3\\n""`,
    );
  });

  it('show what is hostile as what it is', async () => {
    const { stdout } = await sdctl.run(['instances', 'api', '--tags', '注文']);
    expect(still(stdout)).toMatchInlineSnapshot(`
     "ID            URL                   STATUS   HEARTBEAT  TAGS  ZONE  WEIGHT  METADATA
     注文サービス  http://10.0.0.3:8080  passing  #          注文  -     100     note=\\u001b[2J\\u009b31m\\u202eevil
     "
    `);
    for (const format of ['json', 'yaml'] as const) {
      const { stdout: text } = await sdctl.run(['instances', 'api', '--tags', '注文', '-o', format]);
      expect(text).not.toMatch(/[^\P{Cc}\n]/u);
      expect(parse(text)[0].metadata.note).toBe(HOSTILE);
    }
  });
});

describe('a command', () => {
  it.each([
    ['health', ['health', 'api']],
    ['help', ['--help']],
    ['help of a command', ['register', '--help']],
  ])('shows %s in 80 columns', async (_what, args) => {
    const { code, stdout } = await sdctl.with({ NO_COLOR: '1' }).inTerminal(80, args);
    expect(code).toBe(0);
    expect(still(stdout)).toMatchSnapshot();
  });

  it('shows what the registry can do and what is loaded, which is more with each release', async () => {
    const { stdout } = await sdctl.with({ NO_COLOR: '1' }).inTerminal(80, ['capabilities']);
    expect(stdout).toMatch(/^WHAT +IS +ABOUT\nbackend +memory +Everything is lost when the process/);
    expect(stdout).toMatch(/^strategy +round_robin, default +One after the other/m);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('registers, takes out of rotation and back, and deregisters', async () => {
    const place = ['--port', '8080', '--host', '10.0.0.9', '--id', 'mine', '--ttl', '30s'];
    const registered = await sdctl.run(['register', 'shop', ...place, '-o', 'json']);
    expect(registered).toMatchObject({ code: 0, stderr: 'Without a heartbeat it is gone in 30 s.\n' });
    expect(JSON.parse(registered.stdout)).toMatchObject({ service_id: 'mine', address: '10.0.0.9', ttl: 30 });

    const out = await sdctl.run(['maintenance', 'on', 'shop', 'mine', '--reason', 'disk', '-o', 'json']);
    expect(JSON.parse(out.stdout)).toMatchObject({ status: 'maintenance', maintenance_reason: 'disk' });
    expect(await sdctl.run(['pick', 'shop'])).toMatchObject({ code: 2, stdout: '' });
    await sdctl.run(['maintenance', 'off', 'shop', 'mine']);
    expect(await sdctl.run(['pick', 'shop', '-o', 'name'])).toEqual({ code: 0, stdout: 'mine\n', stderr: '' });

    const gone = { code: 0, stdout: 'shop mine is deregistered\n', stderr: '' };
    expect(await sdctl.run(['deregister', 'shop', 'mine'])).toEqual(gone);
    expect(await sdctl.run(['deregister', 'shop', 'mine'])).toMatchObject({ code: 2 });
  });

  it('registers at the address of this machine that the server sees', async () => {
    const { stdout } = await sdctl.run(['register', 'here', '-p', '81', '-o', 'json']);
    expect(JSON.parse(stdout).address).toBe('127.0.0.1');
    await sdctl.run(['deregister', 'here', 'here-127.0.0.1-81']);
  });

  it.each([
    [['services'], 'listServices'],
    [['instances', 'api'], 'listInstances'],
    [['pick', 'api'], 'pickInstance'],
    [['health', 'api'], 'getHealth'],
    [['health', 'api-1', '--of', 'api'], 'getHealth'],
    [['maintenance', 'off', 'api', 'api-1'], 'endMaintenance'],
    [['capabilities'], 'getCapabilities'],
  ])('%j -o json is what the document says of %s', async (args, operationId) => {
    const valid = (await Contract.of(server.http)).dataOf(operationId);
    const { code, stdout } = await sdctl.run([...args, '-o', 'json']);
    expect(code).toBe(0);
    valid(JSON.parse(stdout));
    expect(valid.errors).toBeNull();
  });

  it('says the same in YAML', async () => {
    const [json, yaml] = await Promise.all(['json', 'yaml'].map((format) => sdctl.run(['capabilities', '-o', format])));
    expect(parse(yaml!.stdout)).toEqual(JSON.parse(json!.stdout));
  });
});

describe('what goes wrong', () => {
  it.each([
    ['usage', ['services', '--output', 'xml'], 1],
    ['what the server calls wrong', ['register', 'shop', '--port', '80', '--host', 'a b'], 1],
    ['a profile that is not there', ['services', '--profile', 'prod'], 1],
    ['what is not there', ['instances', 'nobody'], 2],
  ])('%s is told with what to do', async (_what, args, code) => {
    const result = await sdctl.run(args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatchSnapshot();
  });

  it('a credential that is missing or has no right', async () => {
    const folder = await temporaryFolder();
    const keys = await KeyFile.in(folder, { dashboard: { role: 'reader' } });
    const guarded = await TestServer.start({ ...keys.environment, ANONYMOUS_ROLE: 'none' });
    const stranger = new Sdctl(guarded.url);
    expect(await stranger.run(['services'])).toMatchInlineSnapshot(`
     {
       "code": 3,
       "stderr": "sdctl: who asks is not known: there is no credential that is good here
            Bring a credential: SERVICE_DISCOVERY_TOKEN, or \`token\` or \`token_file\` of a profile.
     ",
       "stdout": "",
     }
    `);
    const reader = stranger.with({ SERVICE_DISCOVERY_TOKEN: keys.of('dashboard') });
    expect(await reader.run(['services'])).toMatchObject({ code: 0 });
    expect(await reader.run(['deregister', 'api', 'api-1'])).toMatchInlineSnapshot(`
     {
       "code": 3,
       "stderr": "sdctl: api-key:dashboard may not do this
            This takes a credential with more rights: see docs/security.md.
     ",
       "stdout": "",
     }
    `);

    await mkdir(join(folder, 'sdctl'));
    const file = join(folder, 'sdctl/config.yaml');
    await writeFile(join(folder, 'sdctl/token'), `${keys.of('dashboard')}\n`);
    const profiles = { dev: { servers: [server.url] }, prod: { servers: guarded.url, token_file: 'token' } };
    await writeFile(file, JSON.stringify({ profile: 'prod', profiles }));
    const profiled = new Sdctl('', { XDG_CONFIG_HOME: folder });
    expect(await profiled.run(['services'])).toEqual({ code: 0, stdout: 'There are no such services.\n', stderr: '' });
    expect((await profiled.run(['services', '--profile', 'dev', '-o', 'name'])).stdout).toContain('api\n');
    await writeFile(file, JSON.stringify({ profiles: { prod: { servers: guarded.url, token: 'wrong' } } }));
    await chmod(file, 0o644);
    const { code, stderr } = await profiled.with({ SDCTL_PROFILE: 'prod' }).run(['services']);
    expect(code).toBe(3);
    expect(stderr).toContain(`sdctl: ${file} holds a token and others may read it: chmod 600 it\n`);
    await guarded.stop();
  });

  it('a server that is away; of several, another one is asked', async () => {
    const away = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await new Sdctl(away).run(['services']);
    expect({ code, stdout, stderr: stderr.replaceAll(away.slice(7), 'AWAY') }).toMatchInlineSnapshot(`
     {
       "code": 5,
       "stderr": "sdctl: no server answers: http://AWAY/api/v1/services: connect ECONNREFUSED AWAY
            Start a server, or name another one by --server, SERVICE_DISCOVERY_URL or a profile; \`sdctl doctor\` looks closer.
     ",
       "stdout": "",
     }
    `);
    expect(await new Sdctl(`${away},${server.url}`).run(['services', '-o', 'name'])).toMatchObject({ code: 0 });
    expect(await new Sdctl(away).run(['services', '-s', server.url])).toMatchObject({ code: 0 });
  });

  it('something else that answers there', async () => {
    const { result, port } = await answered('<html>hello</html>', ['services']);
    expect({ ...result, stderr: result.stderr.replaceAll(String(port), 'PORT') }).toMatchInlineSnapshot(`
     {
       "code": 5,
       "stderr": "sdctl: http://127.0.0.1:PORT/api/v1/services is no service-discovery server: it answers "<html>hello</html>"
            Name another one by --server, SERVICE_DISCOVERY_URL or a profile.
     ",
       "stdout": "",
     }
    `);
  });

  it('a mistake of its own is told as one', async () => {
    const { result } = await answered('{"success":true,"data":[{"service_name":"api"}]}', ['services']);
    expect([result.code, result.stdout]).toEqual([70, '']);
    expect(result.stderr).toMatch(/^sdctl: TypeError: .*\n {4}at /);
  });

  it('whoever reads no further ends it quietly', async () => {
    const child = sdctl.spawn(['instances']);
    child.stdout!.destroy();
    let stderr = '';
    child.stderr!.on('data', (text) => (stderr += String(text)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });
});

/** By whatever serves there. */
async function answered(text: string, args: readonly string[]): Promise<{ result: Result; port: number }> {
  const other = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(text);
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const result = await new Sdctl(`http://127.0.0.1:${port}`).run(args);
  other.close();
  return { result, port };
}
