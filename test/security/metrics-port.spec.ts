import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { endProcesses, ServerProcess, TEST_MS, within } from '../support/process.js';
import { sendRaw } from '../support/raw.js';
import { until } from '../support/until.js';

/** Of each kind. */
const COUNT = 20;
/** Between the bytes of who is slow. */
const PACE_MS = 1_000;
/** What is not given back would come to more, or end the server, whose heap is small here. */
const SPARE_BYTES = 128 * 1_024 * 1_024;

let server: ServerProcess;
let url: string;
beforeEach(async () => {
  server = await ServerProcess.start({ METRICS_PORT: '0', NODE_OPTIONS: '--max-old-space-size=128' });
  url = `http://127.0.0.1:${String(server.log.find(({ msg }) => msg === 'serving metrics')!.port)}`;
});
afterEach(() => server.end('SIGTERM'));
afterAll(endProcesses);

async function residentBytes(): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
  expect(answer.status).toBe(200);
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(await answer.text())![1]);
}

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  await within(once(socket, 'connect'), 'a connection');
  return socket;
}

const ASK = 'GET /metrics HTTP/1.1\r\nHost: x\r\n';

it(
  'who is slow, never ends or asks for more than anybody reads is hung up on, and scrapes go on',
  async () => {
    const before = await residentBytes();
    const kinds: readonly [begin: string, next: string][] = [
      ['', ''],
      [`${ASK}X-Slow: `, 'a'],
      [`POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`, 'a'],
      [`${ASK}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
      [`${ASK}\r\n`.repeat(2_000), ''],
    ];
    const ends: Promise<unknown>[] = [];
    for (const [begin, next] of kinds) {
      for (let i = 0; i < COUNT; i++) {
        const socket = await open();
        // The last of them reads nothing of what it has asked for.
        if (next !== '' || begin === '') socket.resume();
        socket.write(begin);
        const pace = setInterval(() => socket.write(next), PACE_MS);
        const closed = new Promise((resolve) => socket.once('close', resolve));
        const end = within(closed, `the end of ${JSON.stringify(begin.slice(0, 80))}`, TEST_MS / 2);
        ends.push(end.finally(() => clearInterval(pace)));
      }
      await residentBytes();
    }
    await Promise.all(ends);
    await until(async () => (await residentBytes()) <= before + SPARE_BYTES, TEST_MS / 2);
    expect(server.stderr).toBe('');
  },
  2 * TEST_MS,
);

it('a header that is too long is refused, and what is no HTTP', async () => {
  expect((await sendRaw(url, `${ASK}X-Long: ${'x'.repeat(60_000)}\r\n\r\n`)).status).toBe(431);
  expect((await sendRaw(url, 'rubbish\r\n\r\n')).status).toBe(400);
  expect((await sendRaw(url, `GET /metrics HTTP/1.1\r\n\r\n`)).status).toBe(400);
});
