import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { serverProgram } from '../support/build.js';
import { Contract } from '../support/contract.js';
import type { Answer, HttpClient } from '../support/http-client.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, ServerProcess, temporaryFolder, within } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer | undefined;
afterEach(() => server?.stop());
afterAll(endProcesses);

/** The first refusal of many requests, ready answers among them. */
async function untilRefused(http: HttpClient, headers: Readonly<Record<string, string>>): Promise<Answer> {
  for (let i = 0; i < 1_000; i++) {
    const answer = await http.get('/api/v1/services', headers);
    if (answer.status === 429) return answer;
  }
  throw new Error('never refused');
}

describe('RATE_LIMIT', () => {
  it('is of each caller: 429 with the time to wait, and others go on', async () => {
    const keys = await KeyFile.in(await temporaryFolder(), { a: { role: 'reader' }, b: { role: 'reader' } });
    server = await TestServer.start({ ...keys.environment, RATE_LIMIT: '1', TRUSTED_PROXIES: '127.0.0.1' });
    const { http } = server;
    const contract = await Contract.of(http);
    const refused = await untilRefused(http, bearer(keys.of('a')));
    expectProblem(refused, 429, 'RATE_LIMITED');
    const operation = contract.operations.find(({ operationId }) => operationId === 'listServices')!;
    expect(contract.complaints(operation, refused)).toEqual([]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await http.get('/api/v1/services', bearer(keys.of('b')))).status).toBe(200);
    expect((await http.get('/health/ready')).status).toBe(200);
    // Guesses are counted by where they come from, which a trusted proxy tells.
    const from = (address: string) => ({ ...bearer('a guess'), 'x-forwarded-for': address });
    expectProblem(await untilRefused(http, from('192.0.2.1')), 429, 'RATE_LIMITED');
    expectProblem(await http.get('/api/v1/services', from('192.0.2.2')), 401);
  });

  it('spends no look at a credential on an address that has guessed too often', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const keys = await KeyFile.in(
      await temporaryFolder(),
      Object.fromEntries(names.map((name) => [name, { role: 'reader' }])),
    );
    server = await TestServer.start({ ...keys.environment, RATE_LIMIT: '1', TRUSTED_PROXIES: '127.0.0.1' });
    const { http } = server;
    const from = (address: string, token: string) => ({ ...bearer(token), 'x-forwarded-for': address });
    // One that is good and not known yet is no better off there; a slow machine may leave it the time for another look.
    const unseen = await (async () => {
      for (const name of names) {
        await untilRefused(http, from('192.0.2.1', 'a guess'));
        const { status } = await http.get('/api/v1/services', from('192.0.2.1', keys.of(name)));
        if (status === 429) return keys.of(name);
      }
      throw new Error('every credential is looked at');
    })();
    // From elsewhere it is found out whose it is; who is known is counted as that, wherever.
    expect((await http.get('/api/v1/services', from('192.0.2.2', unseen))).status).toBe(200);
    await untilRefused(http, from('192.0.2.1', 'a guess'));
    expect((await http.get('/api/v1/services', from('192.0.2.1', unseen))).status).toBe(200);
  });
});

describe('MAX_STREAMS_PER_CALLER', () => {
  it('is of each caller: 429 for one more, until another has gone', async () => {
    const keys = await KeyFile.in(await temporaryFolder(), { a: { role: 'reader' }, b: { role: 'reader' } });
    server = await TestServer.start({ ...keys.environment, ANONYMOUS_ROLE: 'reader', MAX_STREAMS_PER_CALLER: '1' });
    const { http, url } = server;
    const path = '/api/v1/watch/services';
    const leaving = new AbortController();
    const open = (headers: Readonly<Record<string, string>>, signal?: AbortSignal) =>
      fetch(`${url}${path}`, { headers, signal });
    expect((await open(bearer(keys.of('a')), leaving.signal)).status).toBe(200);
    expectProblem(await http.get(path, bearer(keys.of('a'))), 429, 'TOO_MANY_STREAMS');
    // By who they are, or where, and by nothing else.
    const others = [await open(bearer(keys.of('b'))), await open({})];
    expect(others.map(({ status }) => status)).toEqual([200, 200]);
    expectProblem(await http.get(path), 429, 'TOO_MANY_STREAMS');
    leaving.abort();
    const again = async () => {
      const { status, body } = await open(bearer(keys.of('a')));
      await body?.cancel();
      return status === 200;
    };
    await until(again, 30_000);
    for (const { body } of others) await body?.cancel();
  });
});

describe('tickets', () => {
  it('are a thousand of one caller at most, and there are others left', async () => {
    const keys = await KeyFile.in(await temporaryFolder(), { a: { role: 'reader' }, b: { role: 'reader' } });
    server = await TestServer.start(keys.environment);
    const { http } = server;
    const path = '/api/v1/watch/tickets';
    const ask = (name: string) => http.post(path, undefined, bearer(keys.of(name)));
    let refused: Answer | undefined;
    // Those that are not used are given back after a while, on a slow machine before there are so many.
    for (let i = 0; i < 100 && !refused; i++) {
      const answers = await Promise.all(Array.from({ length: 200 }, () => ask('a')));
      refused = answers.find(({ status }) => status !== 201);
    }
    expectProblem(refused!, 429, 'TOO_MANY_TICKETS');
    expect((await ask('b')).status).toBe(201);
  });
});

describe('MAX_CONNECTIONS', () => {
  it('hangs up on who is too many, until others have gone', async () => {
    server = await TestServer.start({ MAX_CONNECTIONS: '4' });
    const { http, url } = server;
    const port = Number(new URL(url).port);
    const sockets: Socket[] = [];
    let refused = 0;
    for (let i = 0; i < 8; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.once('close', () => refused++);
      await once(socket, 'connect');
      sockets.push(socket);
    }
    // The client of the test has one itself.
    await until(() => refused >= 4, 30_000);
    expect((await http.get('/health/live')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    const anew = () => fetch(`${url}/health/live`, { headers: { connection: 'close' } });
    await until(
      () =>
        anew().then(
          ({ ok }) => ok,
          () => false,
        ),
      30_000,
    );
  });

  it('leaves open files for other things, where there are fewer than it would take', async () => {
    const limited = ['-c', 'ulimit -n 200 && exec "$0" "$1"', process.execPath, serverProgram()];
    const env = { PATH: process.env.PATH, ENVIRONMENT: 'test', SERVICE_HOST: '127.0.0.1', SERVICE_PORT: '0' };
    const child = spawn('sh', limited, { env: { ...env, LOG_LEVEL: 'info' }, stdio: ['ignore', 'pipe', 'pipe'] });
    const small = new ServerProcess(child);
    await small.serving();
    expect(small.log.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/200 files .* 150 connections/));
    const sockets: Socket[] = [];
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const socket = connect(small.port, '127.0.0.1').on('error', () => undefined);
      socket.once('close', () => refused++);
      await once(socket, 'connect');
      sockets.push(socket);
    }
    await until(() => refused >= 150, 30_000);
    // Who is connected goes on.
    const first = sockets[0]!.setEncoding('utf8');
    first.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await within(once(first, 'data'), 'the answer'))).toMatch(/^HTTP\/1.1 200/);
    for (const socket of sockets) socket.destroy();
    await small.end('SIGTERM');
  });
});
