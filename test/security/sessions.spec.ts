import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { Catalog } from '#catalog';
import { body } from '../support/instances.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder, within } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { WebSocketWatcher } from '../support/web-socket-watcher.js';

// Streams and long polls that are open when the credential by which they were let in ends, or comes to mean something
// else; beside each, one of a caller whom nothing happens to.

const SECRET = 'correct-horse-battery-staple-and-more';
const PATIENCE_MS = 60_000;
const LAST_WORDS = 'event: goodbye\nid: \ndata: {"event":"goodbye","reason":"unauthorized"}\n\n';

let server: TestServer;
let keys: KeyFile;
let rulesFile: string;
beforeEach(async () => {
  const folder = await temporaryFolder();
  keys = await KeyFile.in(folder, { admin: { role: 'admin' }, leaver: { role: 'reader' }, team: {} });
  rulesFile = join(folder, 'rules.json');
  await writeRules('a-*');
  const jwt = { JWT_ENABLED: 'true', JWT_SECRET: SECRET, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_CLOCK_TOLERANCE: '0' };
  server = await TestServer.start({ ...keys.environment, ...jwt, JWT_ROLE_CLAIM: 'role', AUTH_RULES_FILE: rulesFile });
  await server.http.post('/api/v1/services', body({ service_name: 'a-web', id: 'a' }), bearer(keys.of('admin')));
  await server.http.put('/api/v1/config/a-web', { a: 1 }, bearer(keys.of('admin')));
});
afterEach(() => server.stop());
afterAll(endProcesses);

async function writeRules(services: string): Promise<void> {
  await writeFile(
    `${rulesFile}.new`,
    JSON.stringify({ rules: [{ callers: ['api-key:team'], role: 'reader', services: [services] }] }),
  );
  await rename(`${rulesFile}.new`, rulesFile);
}

/** What a stream tells, from its first event on. */
class Sse {
  text = '';
  readonly ended: Promise<void>;

  private constructor(private readonly body: ReadableStreamDefaultReader<Uint8Array>) {
    this.ended = this.read();
  }

  static async open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Sse> {
    const { status, body } = await fetch(`${server.url}/api/v1/${path}`, { headers });
    expect(status).toBe(200);
    const stream = new Sse(body!.getReader());
    await until(() => stream.text.includes('data: '), PATIENCE_MS);
    return stream;
  }

  close(): Promise<void> {
    return this.body.cancel();
  }

  private async read(): Promise<void> {
    for (let part = await this.body.read(); !part.done; part = await this.body.read())
      this.text += Buffer.from(part.value).toString();
  }
}

const STREAMS = ['watch/services', 'watch/services/a-web', 'config/watch/a-web'];

describe('a key that is taken out of the file', () => {
  it('ends what was opened with it, by whichever transport, and nothing else', async () => {
    const key = keys.of('leaver');
    const ticket = await server.http.post<{ ticket: string }>('/api/v1/watch/tickets', undefined, bearer(key));
    const leaving = await Promise.all([
      ...STREAMS.map((path) => Sse.open(path, bearer(key))),
      Sse.open(`watch/services?ticket=${ticket.data.ticket}`),
    ]);
    const socket = await WebSocketWatcher.open(server.url, 'watch/services', { headers: bearer(key) });
    const staying = await Promise.all(STREAMS.map((path) => Sse.open(path, bearer(keys.of('admin')))));
    const { revision } = await server.http.get('/api/v1/services', bearer(key));
    const poll = server.http.get(`/api/v1/services?index=${revision}&wait=10m`, bearer(key));
    keys.remove(key);
    await keys.write();
    await within(Promise.all(leaving.map(({ ended }) => ended)), 'the end', PATIENCE_MS);
    for (const { text } of leaving) expect(text.endsWith(LAST_WORDS)).toBe(true);
    expect(await within(socket.closed, 'the end', PATIENCE_MS)).toEqual({ code: 3000, reason: 'unauthorized' });
    expectProblem(await within(poll, 'the answer', PATIENCE_MS), 401, 'UNAUTHENTICATED');
    await server.http.post('/api/v1/services', body({ service_name: 'a-web', id: 'b' }), bearer(keys.of('admin')));
    await until(() => staying[0]!.text.includes('"service_id":"b"'), PATIENCE_MS);
    for (const stream of staying) expect(stream.text).not.toContain('goodbye');
    await Promise.all(staying.map((stream) => stream.close()));
  });
});

describe('rules that change', () => {
  it('end streams of who may see something else now, and answer long polls with that', async () => {
    const team = bearer(keys.of('team'));
    const streams = await Promise.all(STREAMS.map((path) => Sse.open(path, team)));
    const { revision } = await server.http.get('/api/v1/services', team);
    const poll = server.http.get<unknown[]>(`/api/v1/services?index=${revision}&wait=10m`, team);
    await until(() => server.server.app.get(Catalog).waiting === 1, PATIENCE_MS);
    await writeRules('b-*');
    await within(Promise.all(streams.map(({ ended }) => ended)), 'the end', PATIENCE_MS);
    for (const { text } of streams) expect(text.endsWith(LAST_WORDS)).toBe(true);
    expect((await within(poll, 'the answer', PATIENCE_MS)).data).toEqual([]);
  });
});

describe('a token that expires', () => {
  it('ends what was opened with it', async () => {
    const token = await new SignJWT({ role: 'reader' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('i')
      .setAudience('a')
      .setSubject('ann')
      .setExpirationTime(Math.floor(Date.now() / 1_000) + 10)
      .sign(new TextEncoder().encode(SECRET));
    const stream = await Sse.open('watch/services', bearer(token));
    const { revision } = await server.http.get('/api/v1/services', bearer(token));
    const poll = server.http.get(`/api/v1/services?index=${revision}&wait=10m`, bearer(token));
    await within(stream.ended, 'the end', PATIENCE_MS);
    expect(stream.text.endsWith(LAST_WORDS)).toBe(true);
    expectProblem(await within(poll, 'the answer', PATIENCE_MS), 401, 'UNAUTHENTICATED');
  });
});
