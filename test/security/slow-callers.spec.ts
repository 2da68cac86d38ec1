import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, expect, it } from '@jest/globals';
import { endProcesses, TEST_MS, within } from '../support/process.js';
import { Siege } from './support/siege.js';

/** Of each kind. */
const COUNT = process.env.SOAK ? 1_000 : 50;
/** Between their bytes. */
const PACE_MS = 1_000;

const POST = 'POST /api/v1/services HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

/** How each begins, and what it goes on with for ever. */
const KINDS = [
  { begin: '', next: '' },
  { begin: 'GET /api/v1/services HTTP/1.1\r\nX-Slow: ', next: 'a' },
  { begin: `${POST}Content-Length: 100000\r\n\r\n{"name": "`, next: 'a' },
  { begin: `${POST}Transfer-Encoding: chunked\r\n\r\n`, next: '1\r\n \r\n' },
];

afterAll(endProcesses);

/** Resolves with what it was told when the server has ended the connection. */
async function linger(socket: Socket, { begin, next }: (typeof KINDS)[number]): Promise<string> {
  let told = '';
  socket.setEncoding('utf8').on('data', (text: string) => (told += text));
  socket.write(begin);
  const pace = setInterval(() => socket.write(next), PACE_MS);
  const closed = once(socket, 'close');
  await within(closed, 'the end of a slow connection', TEST_MS).finally(() => clearInterval(pace));
  return told;
}

it(
  'who says nothing, or a byte a second of headers or a body, is answered 408 and hung up on, and holds up nobody',
  async () => {
    const siege = await Siege.start();
    await siege.of(async () => {
      const lingering: Promise<string>[] = [];
      for await (const socket of siege.connections(KINDS.length * COUNT)) {
        lingering.push(linger(socket, KINDS[lingering.length % KINDS.length]!));
      }
      const answers = await Promise.all(lingering);
      expect(new Set(answers.map((answer) => answer.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 408']));
    });
    await siege.end();
  },
  2 * TEST_MS,
);
