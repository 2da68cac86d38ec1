import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import type { Answer } from '../support/http-client.js';
import { bearer, KeyFile } from '../support/key-file.js';
import { endProcesses, temporaryFolder, TEST_MS, within } from '../support/process.js';
import { expectProblem } from '../support/problems.js';
import { until } from '../support/until.js';
import { Watcher } from '../support/watcher.js';
import { Siege } from './support/siege.js';

const SOAK = process.env.SOAK !== undefined;
const CONNECTIONS = SOAK ? 20_000 : 2_000;
/** Of requests that each take the server some work. */
const REQUESTS = SOAK ? 400 : 40;
const CREDENTIALS = SOAK ? 50_000 : 2_000;
const MAX_WAITERS = 100;
const ROUNDS = SOAK ? 50 : 5;
/** Requests of one attacker that are under way together. */
const AT_ONCE = 16;

const MIB = 1_024 * 1_024;
const SERVICES = '/api/v1/services';

let siege: Siege;
let signer: KeyObject;
beforeAll(async () => {
  const folder = await temporaryFolder();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  signer = privateKey;
  const path = join(folder, 'issuer.pem');
  await writeFile(path, publicKey.export({ type: 'spki', format: 'pem' }));
  const keys = await KeyFile.in(folder, { ci: { role: 'registrar' } });
  siege = await Siege.start({
    ...{ ...keys.environment, MAX_WAITERS: String(MAX_WAITERS) },
    ...{ JWT_ENABLED: 'true', JWT_PUBLIC_KEY_FILE: path, JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'registry' },
  });
}, TEST_MS);
afterAll(async () => {
  await siege.end();
  await endProcesses();
}, TEST_MS);

/** The answers to so many requests, by one attacker on many connections. */
async function flood(count: number, ask: (i: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let asked = 0;
  const lane = async () => {
    while (asked < count) answers.push(await ask(asked++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return answers;
}

describe('connections', () => {
  it(
    'that come in bursts, say something or nothing and go away without a word',
    () =>
      siege.of(async () => {
        let opened = 0;
        for await (const socket of siege.connections(CONNECTIONS)) {
          if (opened++ % 2 === 0) socket.write('GET /api/v1/services HTTP/1.1\r\nHost: x\r\n\r\nGET /api');
          if (opened % 3 === 0) socket.resetAndDestroy();
          else socket.destroy();
        }
        expect(opened).toBe(CONNECTIONS);
      }),
    TEST_MS * (SOAK ? 5 : 1),
  );

  const asked = 'GET /docs-json HTTP/1.1\r\nHost: x\r\n\r\n';

  it(
    'on which a lot is asked for at once are hung up on',
    () =>
      siege.of(async () => {
        const closed: Promise<unknown>[] = [];
        for await (const socket of siege.connections(REQUESTS)) {
          socket.resume().write(asked.repeat(200));
          closed.push(within(once(socket, 'close'), 'the end of a connection'));
        }
        await Promise.all(closed);
      }),
    TEST_MS,
  );

  it(
    'on which something is asked for and nothing is read',
    () =>
      siege.of(async (attacker) => {
        const sockets: Socket[] = [];
        for await (const socket of siege.connections(REQUESTS)) {
          socket.pause().write(asked.repeat(20));
          sockets.push(socket);
        }
        // All that was written before has been read by then.
        for (let turn = 0; turn < 20; turn++) await attacker.get('/health/live');
        for (const socket of sockets) socket.destroy();
      }),
    TEST_MS,
  );
});

describe('bodies', () => {
  it.each<[string, () => Buffer | string, number, string, Record<string, string>?]>([
    ['that are too large', () => JSON.stringify({ name: 'x'.repeat(5 * MIB) }), 413, 'BODY_TOO_LARGE'],
    ['of lists in lists', () => '['.repeat(2 * MIB - 1) + ']'.repeat(2 * MIB - 1), 400, 'INVALID_REQUEST'],
    ['of objects in objects', () => '{"a":'.repeat(600_000) + '1' + '}'.repeat(600_000), 400, 'INVALID_REQUEST'],
    ['that never close', () => '['.repeat(4 * MIB - 1), 400, 'INVALID_REQUEST'],
    [
      'that would be a thousand times as large',
      () => gzipSync(Buffer.alloc(200 * MIB, ' ')),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      { 'content-encoding': 'gzip' },
    ],
  ])(
    '%s are refused',
    async (_what, make, status, code, headers = {}) => {
      const body = make();
      await siege.of(async (attacker) => {
        const answers = await flood(REQUESTS, () => attacker.post(SERVICES, body, headers));
        for (const answer of answers) expectProblem(answer, status, code);
      });
    },
    TEST_MS,
  );
});

describe('headers', () => {
  it.each<[string, Record<string, string>]>([
    ['that are too long', { 'x-long': 'x'.repeat(60_000) }],
    ['that are too many', Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`x-${i}`, 'x']))],
  ])(
    '%s are refused: 431',
    (_what, headers) =>
      siege.of(async (attacker) => {
        for (const answer of await flood(10 * REQUESTS, () => attacker.get(SERVICES, headers))) {
          expectProblem(answer, 431, 'HEADERS_TOO_LARGE');
        }
      }),
    TEST_MS,
  );
});

describe('watches', () => {
  it(
    'of which there are too many are refused: 503, until others have gone',
    () =>
      siege.of(async (attacker) => {
        for (let round = 0; round < ROUNDS; round++) {
          const watches = await Promise.allSettled(
            Array.from({ length: 3 * MAX_WAITERS }, () => Watcher.open(siege.server.url, 'services')),
          );
          const open = watches.flatMap((watch) => (watch.status === 'fulfilled' ? [watch.value] : []));
          const refusals = watches.flatMap((watch) => (watch.status === 'rejected' ? [String(watch.reason)] : []));
          expect(open).toHaveLength(MAX_WAITERS);
          expect(new Set(refusals)).toEqual(new Set(['Error: no stream but 503']));
          const refused = await attacker.get('/api/v1/watch/services', { accept: 'text/event-stream' });
          expectProblem(refused, 503, 'BUSY');
          expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
          await Promise.all(open.map((watcher) => watcher.close()));
          await until(async () => (await siege.metric('service_discovery_open_streams')) === 0, TEST_MS);
        }
      }),
    TEST_MS,
  );
});

describe('guesses', () => {
  it(
    'at keys and at tokens of all kinds are refused: 401, and none is remembered',
    () =>
      siege.of(async (attacker) => {
        const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const token = (key: KeyObject, expires: string, i: number) =>
          new SignJWT({ i })
            .setProtectedHeader({ alg: 'ES256' })
            .setSubject(`guess-${i}`)
            .setIssuer('issuer')
            .setAudience('registry')
            .setExpirationTime(expires)
            .sign(key);
        const kinds: readonly ((i: number) => Promise<string> | string)[] = [
          () => randomBytes(6_000).toString('base64url'),
          (i) => token(other, '1h', i),
          (i) => token(signer, '1h ago', i),
        ];
        const answers = await flood(CREDENTIALS, async (i) =>
          attacker.get(SERVICES, bearer(await kinds[i % kinds.length]!(i))),
        );
        for (const answer of answers) expectProblem(answer, 401, 'UNAUTHENTICATED');
      }),
    TEST_MS * (SOAK ? 5 : 1),
  );
});
