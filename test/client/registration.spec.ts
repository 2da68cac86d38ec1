import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DiscoveryClient, RefusedError } from '#client';
import { serverProgram } from '../support/build.js';
import { untilAnswer } from '../support/changes.js';
import { instancePath, type Instance } from '../support/instances.js';
import { within } from '../support/process.js';
import { Proxy } from '../support/proxy.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let way: Proxy;
let client: DiscoveryClient;
beforeEach(async () => {
  server = await TestServer.start();
  way = await Proxy.to(Number(new URL(server.url).port));
  client = new DiscoveryClient({ servers: [`http://127.0.0.1:${way.port}`] });
});
afterEach(async () => {
  await client.close();
  await way.close();
  await server.stop();
});

const ME = { service: 'web', id: 'me', host: '127.0.0.1', port: 80, ttl: 5 };
const PATH = instancePath('web', 'me');
const seen = (fits: (instance: Instance) => boolean, what: string) =>
  untilAnswer<Instance>(server.http, PATH, (answer) => answer.status === 200 && fits(answer.data), what);
const gone = () => untilAnswer(server.http, PATH, ({ status }) => status === 404, 'it is gone');

describe('a registration', () => {
  it('says what the instance is, keeps it alive and tells its load', async () => {
    let load = 0.25;
    const registration = await client.register({
      ...ME,
      tags: ['x'],
      metadata: { cores: 4 },
      zone: 'z',
      load: () => ({ loadPercentage: load, activeConnections: 3 }),
    });
    expect(registration.instance).toMatchObject({
      serviceId: 'me',
      url: 'http://127.0.0.1:80',
      tags: ['x'],
      zone: 'z',
    });
    const { data } = await seen(({ load_percentage }) => load_percentage === 0.25, 'a heartbeat');
    expect(data).toMatchObject({ ttl: 5, metadata: { cores: '4' }, active_connections: 3 });
    load = 0.5;
    await registration.report({ status: 'warning' });
    expect((await server.http.get<Instance>(PATH)).data.status).toBe('warning');
    await registration.deregister();
    expect((await server.http.get(PATH)).status).toBe(404);
  });

  it('comes back when the registry has lost it', async () => {
    await client.register(ME);
    await server.http.delete(PATH);
    await seen(() => true, 'it is back');
  });

  it('waits for a server, as long as it may', async () => {
    await way.cut();
    await expect(client.register(ME, AbortSignal.timeout(300))).rejects.toThrow(/timeout/);
    const registered = client.register(ME);
    await way.mend();
    expect((await within(registered, 'a server')).instance.serviceId).toBe('me');
  });

  it('is refused at once when something is wrong with it, and says what', async () => {
    const refused = client.register({ ...ME, port: 0 });
    await expect(refused).rejects.toThrow(RefusedError);
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'INVALID_REQUEST', errors: [{ path: 'port' }] });
  });

  it('leaves: out of rotation first, then out; and with its client at the latest', async () => {
    const registration = await client.register(ME);
    const left = registration.leave({ drainMs: 1_000 });
    await seen(({ status }) => status === 'critical', 'it is out of rotation');
    await left;
    expect((await server.http.get(PATH)).status).toBe(404);
    await client.register(ME);
    await client.close();
    expect((await server.http.get(PATH)).status).toBe(404);
  });
});

describe('the process of a registration', () => {
  let child: ChildProcess;
  afterEach(() => void child.kill('SIGKILL'));

  function run(script: string, url = server.url): void {
    serverProgram();
    const program = `import { DiscoveryClient } from '#client';
      const client = new DiscoveryClient({ servers: ['${url}'], onError: () => process.send?.('away') });
      const registration = await client.register(${JSON.stringify(ME)});
      ${script}`;
    child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  it('ends by itself when it has nothing else to do', async () => {
    run('');
    expect(await within(once(child, 'exit'), 'the end')).toEqual([0, null]);
    expect((await server.http.get(PATH)).status).toBe(200);
  });

  it('waits for a server all the same', async () => {
    await way.cut();
    run('', `http://127.0.0.1:${way.port}`);
    for (let told = 0; told < 2; told++) await within(once(child, 'message'), 'an attempt in vain');
    const exit = once(child, 'exit');
    await way.mend();
    expect(await within(exit, 'the end')).toEqual([0, null]);
    expect((await server.http.get(PATH)).status).toBe(200);
  });

  it('ends at SIGTERM when it has left', async () => {
    run(`registration.leaveOn({ drainMs: 100, beforeExit: () => registration.instance.serviceId });
      setInterval(() => undefined, 1_000);`);
    const exit = once(child, 'exit');
    await seen(() => true, 'it is registered');
    // It is registered before it listens for the signal.
    await seen(({ last_heartbeat, registered_at }) => last_heartbeat !== registered_at, 'a heartbeat');
    child.kill('SIGTERM');
    expect(await within(exit, 'the end')).toEqual([0, null]);
    await gone();
  });
});
