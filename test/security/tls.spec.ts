import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, rename } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get, type RequestOptions } from 'node:https';
import { dirname, join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { MetricsServer } from '../../apps/server/src/own-health/metrics-server.js';
import { serverProgram } from '../support/build.js';
import { Authority, type KeyPair } from '../support/certificates.js';
import { body } from '../support/instances.js';
import { endProcesses, ServerProcess, temporaryFolder } from '../support/process.js';
import { sendRaw } from '../support/raw.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const PATIENCE_MS = 30_000;
const ROTATIONS = 3;

let folder: string;
let authority: Authority;
let pairs: KeyPair[];
let ca: string;
/** What the server is told, and what stands in it changes. */
let files: KeyPair;
let server: TestServer | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  authority = await Authority.in(folder);
  pairs = [await authority.sign('first'), await authority.sign('second')];
  ca = await readFile(authority.cert, 'utf8');
  files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(endProcesses);

/** Puts another pair into the place of what the server reads, each file at once. */
async function show({ cert, key }: KeyPair): Promise<void> {
  for (const [from, to] of [
    [cert, files.cert],
    [key, files.key],
  ] as const) {
    await copyFile(from, `${to}.new`);
    await rename(`${to}.new`, to);
  }
}

function environment(): Readonly<Record<string, string>> {
  return { TLS_ENABLED: 'true', TLS_CERT_FILE: files.cert, TLS_KEY_FILE: files.key };
}

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  await show(pairs[0]!);
  return (server = await TestServer.start({ ...environment(), ...overrides }, { ca }));
}

/** Which certificate a new connection is shown, by its common name. */
async function shown(maxVersion?: SecureVersion, { url }: { readonly url: string } = server!): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ca, maxVersion });
  try {
    await once(socket, 'secureConnect');
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

/** The status over a connection of its own. */
async function statusOf(path: string, options: RequestOptions = {}): Promise<number> {
  const request = get(`${server!.url}${path}`, { ca, agent: false, ...options });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode!;
}

describe('a server with TLS', () => {
  it('says so, and answers requests and streams', async () => {
    const { url, http } = await start();
    expect(url).toMatch(/^https:/);
    expect((await http.post('/api/v1/services', body({ service_name: 'web' }))).status).toBe(201);
    const socket = new WebSocket(`${url.replace('https', 'wss')}/api/v1/watch/services`, { ca });
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toMatchObject({ event: 'snapshot' });
    const closed = once(socket, 'close');
    await server!.stop();
    await closed;
    server = undefined;
  });

  it('answers those who offer another protocol in the one that they have', async () => {
    await start();
    const headers = { connection: 'upgrade, http2-settings', upgrade: 'h2c', 'http2-settings': '' };
    expect(await statusOf('/health/live', { headers })).toBe(200);
  });

  it('takes TLS 1.2, and nothing older', async () => {
    await start();
    expect(await shown('TLSv1.2')).toBe('first');
    // OpenSSL itself may refuse to offer it: either way there is no connection.
    await expect(shown('TLSv1.1')).rejects.toThrow();
  });

  it('hangs up on those who speak without, and goes on', async () => {
    const { url } = await start();
    expect((await sendRaw(url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).status).toBeNaN();
    expect(await statusOf('/health/live')).toBe(200);
  });

  it('has it on the port of the metrics too', async () => {
    const { app } = (await start({ METRICS_PORT: '0' })).server;
    const { port } = app.get(MetricsServer);
    expect(await statusOf('/metrics', { port })).toBe(200);
  });

  it('is found alive by the health check of its container', async () => {
    const { url } = await start();
    const env = { SERVICE_PORT: new URL(url).port, TLS_ENABLED: 'True' };
    const healthy = join(dirname(serverProgram()), 'healthy.js');
    await promisify(execFile)(process.execPath, [healthy], { env });
    await expect(
      promisify(execFile)(process.execPath, [healthy], { env: { ...env, TLS_ENABLED: '' } }),
    ).rejects.toThrow();
  });
});

describe('certificates', () => {
  it('give way to others under load, and no request fails', async () => {
    const { http } = await start();
    const failures: unknown[] = [];
    let [requests, done] = [0, false];
    const use = async (ask: () => Promise<number>) => {
      while (!done) {
        const status = await ask().catch((error: unknown) => error);
        if (status !== 200) failures.push(status);
        requests++;
      }
    };
    const kept = async () => (await http.get('/api/v1/services')).status;
    const anew = () => statusOf('/api/v1/services');
    const users = [kept, kept, anew, anew].map(use);
    for (let i = 1; i <= ROTATIONS; i++) {
      const next = pairs[i % 2]!;
      await show(next);
      const name = i % 2 === 0 ? 'first' : 'second';
      await until(async () => (await shown()) === name, PATIENCE_MS);
      const seen = requests;
      await until(() => requests > seen + 10, PATIENCE_MS);
    }
    done = true;
    await Promise.all(users);
    expect(failures).toEqual([]);
  });

  it('that are not good change nothing but the log, until they are', async () => {
    await show(pairs[0]!);
    const process = await ServerProcess.start(environment());
    await copyFile(pairs[1]!.key, files.key);
    const { reason } = await process.logged(
      ({ level, reason }) => level === 'error' && reason !== undefined,
      'a complaint',
    );
    expect(reason).toBe('TLS_KEY_FILE is not the key of TLS_CERT_FILE');
    expect(await shown(undefined, process)).toBe('first');
    await show(pairs[1]!);
    await until(async () => (await shown(undefined, process)) === 'second', PATIENCE_MS);
    await process.end('SIGTERM');
  });

  it.each<[string, () => Partial<Record<'TLS_CERT_FILE' | 'TLS_KEY_FILE' | 'TLS_CA_FILE', string>>, RegExp]>([
    ['is not there', () => ({ TLS_KEY_FILE: join(folder, 'no.key') }), /TLS_KEY_FILE=\S+no\.key: ENOENT: .*no\.key/],
    [
      'is none',
      () => ({ TLS_CERT_FILE: pairs[0]!.key }),
      /TLS_CERT_FILE=\S+first\.key.*: TLS_CERT_FILE is not a certificate/,
    ],
    ['has a key that is none', () => ({ TLS_KEY_FILE: pairs[0]!.cert }), /: TLS_KEY_FILE is not a private key in PEM/],
    [
      'has the key of another',
      () => ({ TLS_KEY_FILE: pairs[1]!.key }),
      /: TLS_KEY_FILE is not the key of TLS_CERT_FILE$/,
    ],
    ['has no authority', () => ({ TLS_CA_FILE: pairs[0]!.key }), /: TLS_CA_FILE is not certificates in PEM$/],
  ])('one that %s stops the start', async (_, wrong, message) => {
    await expect(start(wrong())).rejects.toThrow(message);
  });
});
