import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, get, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { body, register, type ServiceSummary } from '../support/instances.js';
import { expectBadInput } from '../support/problems.js';
import { endProcesses, TEST_MS, ServerProcess, temporaryFolder, within, type Environment } from '../support/process.js';
import { until } from '../support/until.js';
import { Writers } from '../support/writers.js';

const SERVICES = '/api/v1/services';
/** An end that waits for nothing, on a busy machine. Far from the grace of 15 s. */
const AT_ONCE_MS = 10_000;

// The tests of this file run side by side.
afterAll(endProcesses);

const registration = JSON.stringify({ name: 'late', id: 'late', address: '10.0.0.1', port: 80 });

/** A registration whose body the server waits for: it has read the rest, or it would not say so. */
async function slowRegistration(url: string): Promise<{ finish(): Promise<IncomingMessage>; request: ClientRequest }> {
  const headers = {
    'content-type': 'application/json',
    'content-length': registration.length,
    expect: '100-continue',
  };
  const request = httpRequest(`${url}${SERVICES}`, { method: 'POST', headers, agent: false });
  request.flushHeaders();
  await within(once(request, 'continue'), 'the server to wait for the body');
  request.write(registration.slice(0, 10));
  return {
    request,
    finish: async () => {
      const answered = once(request, 'response') as Promise<[IncomingMessage]>;
      request.end(registration.slice(10));
      const [response] = await within(answered, 'the answer to the slow request');
      response.resume();
      return response;
    },
  };
}

/** A connection that is open and has said so much. */
async function connection(server: ServerProcess, text = ''): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return socket;
}

/** Names of the services, this server's own among them. */
async function names(http: HttpClient): Promise<string[]> {
  const { data } = await http.get<ServiceSummary[]>(`${SERVICES}?include=internal`);
  return data.map(({ service_name }) => service_name);
}

describe('SIGTERM', () => {
  it.concurrent(
    'turns readiness off, takes the own registration out, and answers what is in flight',
    async () => {
      const environment = { DATA_DIR: await temporaryFolder(), ADVERTISE_ADDRESS: '127.0.0.1' };
      const server = await ServerProcess.start(environment);
      const http = new HttpClient(server.url);
      await server.logged(({ cause }) => cause === 'registered', 'its own registration');
      expect(await names(http)).toEqual(['service-discovery']);
      const { data, revision } = await http.get(SERVICES);
      expect(data).toEqual([]);
      expect((await http.get('/health/ready')).status).toBe(200);

      const polled = http.get(`${SERVICES}?index=${revision}&wait=60s`);
      const slow = await slowRegistration(server.url);
      server.signal('SIGTERM');
      await server.logged(({ msg }) => msg === 'stopping', 'stopping');

      // The long poll has its answer although the slow request still holds everything up.
      expect((await within(polled, 'the answer to the long poll')).data).toEqual([]);
      // Whoever asks now, on a connection of its own, hears that it is to go elsewhere.
      const other = new HttpClient(server.url);
      const ready = await other.get('/health/ready');
      expect(ready.status).toBe(503);
      expect(ready.json.status).toBe('not ready');
      expect((await other.get('/health')).status).toBe(503);
      expect((await other.get('/health/live')).status).toBe(200);
      expect(await names(other)).toEqual([]);

      const response = await slow.finish();
      expect(response.statusCode).toBe(201);
      expect(response.headers.connection).toBe('close');
      expect(await within(server.exited, 'the end', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      expect(server.stderr).toBe('');
      await Promise.all([http.close(), other.close()]);

      const again = await ServerProcess.start({ DATA_DIR: environment.DATA_DIR });
      const afterwards = new HttpClient(again.url);
      expect(await names(afterwards)).toEqual(['late']);
      await afterwards.close();
    },
    TEST_MS,
  );

  it.concurrent(
    'answers long polls, and does not wait for those who ask again at once',
    async () => {
      const server = await ServerProcess.start();
      const http = new HttpClient(server.url);
      const watch = async (): Promise<number> => {
        let answers = 0;
        try {
          for (let index = '0'; ; answers++) {
            index = (await http.get(`${SERVICES}?index=${index}&wait=60s`)).revision;
          }
        } catch {
          return answers;
        }
      };
      const watchers = Array.from({ length: 20 }, watch);
      const waiting = async () =>
        /^service_discovery_waiting_requests (\d+)$/m.exec((await http.get('/metrics')).text)![1];
      while ((await waiting()) !== '20') await sleep(20);
      expect(await server.end('SIGTERM', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      for (const answers of await Promise.all(watchers)) expect(answers).toBeGreaterThanOrEqual(2);
      await http.close();
    },
    TEST_MS,
  );

  it.concurrent(
    'under registrations at full speed refuses none, and keeps what it has acknowledged',
    async () => {
      const DATA_DIR = await temporaryFolder();
      const server = await ServerProcess.start({ DATA_DIR });
      const writers = new Writers();
      const written = writers.writeUntilAway(server.url, 'stop');
      await until(() => writers.size > 500, 20_000);
      expect(await server.end('SIGTERM', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      await written;
      const again = await ServerProcess.start({ DATA_DIR });
      const http = new HttpClient(again.url);
      expect(await writers.violations(http)).toEqual([]);
      await http.close();
    },
    TEST_MS,
  );

  it.concurrent(
    'does not wait for connections that say nothing',
    async () => {
      const server = await ServerProcess.start();
      const used = await connection(server, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(used, 'data');
      const open = await Promise.all([connection(server), connection(server, 'GET /health')]);
      const closed = [used, ...open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      expect(await server.end('SIGTERM', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      await Promise.all(closed);
    },
    TEST_MS,
  );

  it.concurrent(
    'cuts after SHUTDOWN_GRACE what does not end',
    async () => {
      const server = await ServerProcess.start({ SHUTDOWN_GRACE: '1' });
      const { request } = await slowRegistration(server.url);
      const cut = once(request, 'error');
      const told = performance.now();
      expect(await server.end('SIGTERM', 1_000 + AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      expect(performance.now() - told).toBeGreaterThan(950);
      await cut;
    },
    TEST_MS,
  );

  it.concurrent(
    'ends at once at a second signal',
    async () => {
      const server = await ServerProcess.start();
      const { request } = await slowRegistration(server.url);
      request.on('error', () => undefined);
      server.signal('SIGTERM');
      await server.logged(({ msg }) => msg === 'stopping', 'stopping');
      expect(await server.end('SIGINT', AT_ONCE_MS)).toEqual({ code: 1, signal: null });
      expect(server.log.at(-1)).toMatchObject({ level: 'warn', signal: 'SIGINT' });
    },
    TEST_MS,
  );

  it.concurrent(
    'ends a start that is under way',
    async () => {
      const server = ServerProcess.spawn({ DATA_DIR: await temporaryFolder(), ADVERTISE_ADDRESS: '127.0.0.1' });
      await server.logged(({ msg }) => msg === 'the view follows the registry', 'the view');
      expect(await server.end('SIGTERM', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      expect(server.stderr).toBe('');
    },
    TEST_MS,
  );

  it.concurrent(
    'ends a start of which nothing is there yet',
    async () => {
      const cwd = await temporaryFolder();
      const home = join(cwd, 'node_modules/early');
      await mkdir(home, { recursive: true });
      await writeFile(join(home, 'package.json'), '{"name":"early","type":"module","exports":"./index.js"}');
      // An extension is the first that is loaded.
      await writeFile(
        join(home, 'index.js'),
        `process.kill(process.pid, 'SIGTERM'); await new Promise((resolve) => setTimeout(resolve, 60_000));`,
      );
      const { code, stderr } = await ServerProcess.run({ EXTENSIONS: 'early' }, [], cwd);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
    TEST_MS,
  );

  it.concurrent(
    'is heard by those who keep their connections before these are closed',
    async () => {
      const server = await ServerProcess.start();
      await register(new HttpClient(server.url), { service_name: 'kept', id: 'a' });
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      const ask = async (): Promise<string | undefined> => {
        const [response] = (await once(get(`${server.url}/api/v1/services/kept`, { agent }), 'response')) as [
          IncomingMessage,
        ];
        await once(response.resume(), 'end');
        return response.headers.connection;
      };
      const lane = async () => {
        while ((await ask()) !== 'close');
      };
      await ask();
      const lanes = Promise.all(Array.from({ length: 8 }, lane));
      server.signal('SIGTERM');
      // Nobody's connection is reset.
      await within(lanes, 'the notice');
      expect(await within(server.exited, 'the end', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      agent.destroy();
    },
    TEST_MS,
  );

  it.concurrent(
    'and SIGINT are the same',
    async () => {
      const server = await ServerProcess.start({ ADVERTISE_ADDRESS: '127.0.0.1' });
      expect(await server.end('SIGINT', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
      expect(server.log.some(({ cause }) => cause === 'deregistered')).toBe(true);
      expect(server.log.at(-1)).toMatchObject({ msg: 'stopped' });
    },
    TEST_MS,
  );
});

describe('a start', () => {
  /** How it ends that cannot begin: exit code 1, and on standard error what is wrong, a line each. */
  async function refusal(environment: Environment, args: readonly string[] = []): Promise<string[]> {
    const { code, stdout, stderr } = await ServerProcess.run(environment, args);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(stdout).not.toContain('serving');
    expect(stdout).not.toContain('"level":"error"');
    expect(code).toBe(1);
    return stderr.trimEnd().split('\n');
  }

  async function freePort(): Promise<number> {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    holder.close();
    return port;
  }

  it.concurrent(
    'says that the port is in use',
    async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as AddressInfo;
      expect(await refusal({ SERVICE_PORT: String(port) })).toEqual([
        `could not start: somebody listens there already: 127.0.0.1:${port}; set SERVICE_HOST or SERVICE_PORT`,
      ]);
      holder.close();
    },
    TEST_MS,
  );

  it.concurrent('says everything that is wrong with the environment at once, and no secret', async () => {
    const lines = await refusal({
      REGISTRY_TYPE: 'zookeeper',
      SERVICE_PORT: 'abc',
      LOG_LEVEL: 'loud',
      HEARTBEAT_INTERVAL: '200',
      REPLICA_SECRET: 'swordfish',
    });
    expect(lines[0]).toContain('5 problems');
    expect(lines.slice(1).sort()).toEqual([
      expect.stringMatching(/HEARTBEAT_INTERVAL=200: must be at most 150s, half of SERVICE_TTL/),
      expect.stringMatching(/LOG_LEVEL=loud: must be one of .*info/),
      expect.stringMatching(/REGISTRY_TYPE=zookeeper: must be one of .*memory/),
      expect.stringMatching(/REPLICA_SECRET=\*+:/),
      expect.stringMatching(/SERVICE_PORT=abc: must be an integer/),
    ]);
    expect(lines.join()).not.toContain('swordfish');
  });

  it.concurrent('refuses a flag that it does not know', async () => {
    expect((await refusal({}, ['--prnt-config']))[0]).toContain('--prnt-config');
  });

  it.concurrent('shows with --print-config what is in force, and from where', async () => {
    const environment = { SERVICE_DISCOVERY_SERVICE_TTL: '1m', HEALTH_CHECK_INTERVAL: '7' };
    const { code, stdout, stderr } = await ServerProcess.run({ ...environment, SERVICE_TTL: '' }, ['--print-config']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^SERVICE_TTL=1m +# from alias SERVICE_DISCOVERY_SERVICE_TTL$/m);
    expect(stdout).toMatch(/^HEALTH_CHECK_INTERVAL=7 +# from environment$/m);
    expect(stdout).toMatch(/^REGISTRY_TYPE=memory +# from profile test$/m);
    expect(stdout).toMatch(/^SERVICE_NAME=service-discovery +# from default$/m);
  });

  it.concurrent('in production names its registry, has a port, and does not serve strangers unasked', async () => {
    const production = { ENVIRONMENT: 'production', SERVICE_HOST: '0.0.0.0', LOG_LEVEL: '', LOG_FORMAT: '' };
    expect((await refusal(production)).slice(1).sort()).toEqual([
      expect.stringMatching(/REGISTRY_TYPE is not set and has no default here: must be one of/),
      expect.stringMatching(/SERVICE_HOST=0\.0\.0\.0: would let everybody .*AUTH_DISABLED=true/),
      expect.stringMatching(/SERVICE_PORT=0: must be from 1 to 65535/),
    ]);
  });

  it.concurrent(
    'in production, on loopback, logs JSON and probes nothing at loopback',
    async () => {
      const server = await ServerProcess.start({
        ENVIRONMENT: 'production',
        REGISTRY_TYPE: 'memory',
        SERVICE_PORT: String(await freePort()),
        LOG_LEVEL: '',
        LOG_FORMAT: '',
      });
      const http = new HttpClient(server.url);
      const answer = await http.post(SERVICES, body({ port: server.port, health_check: { type: 'tcp' } }));
      const { errors } = expectBadInput(answer, 'health_check');
      expect(errors).toEqual([{ path: 'health_check', message: '127.0.0.1 is refused: loopback' }]);
      await http.close();
      expect(await server.end('SIGTERM', AT_ONCE_MS)).toEqual({ code: 0, signal: null });
    },
    TEST_MS,
  );
});
