import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OutcomeUnknownError, ServersUnavailableError, Transport, type Sent } from '#client';

const PATH = '/api/v1/config/web';
const CONDITIONAL: Sent = { body: { a: 1 }, headers: { 'If-None-Match': '*' } };

const done: RequestListener = (_request, response) => response.end('{}');
const refused =
  (status: number, code?: string): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(code ? JSON.stringify({ code, detail: 'why' }) : 'Bad gateway');

describe('a write to one of two servers', () => {
  let asked: number;
  /** Of whichever server is asked first; the next one does what it is asked. */
  let first: RequestListener;
  let servers: Server[];
  beforeEach(async () => {
    asked = 0;
    first = done;
    const listener: RequestListener = (request, response) => (asked++ === 0 ? first : done)(request, response);
    servers = [createServer(listener), createServer(listener)];
    await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  });
  afterEach(async () => {
    for (const server of servers) {
      if (!server.listening) continue;
      server.close().closeAllConnections();
      await once(server, 'close');
    }
  });

  const put = (sent: Sent) => {
    const urls = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return new Transport({ servers: urls }).ask('PUT', PATH, sent);
  };

  it.each<[string, RequestListener]>([
    ['that breaks the connection', (request) => request.socket.destroy()],
    ['that does not answer', () => undefined],
    ['that does not know', refused(503, 'OUTCOME_UNKNOWN')],
    ['that fails', refused(500, 'INTERNAL')],
    ['behind something that fails', refused(503)],
  ])('is sent again to the other after one %s, unless it has a condition', async (_what, misbehaves) => {
    first = misbehaves;
    await expect(put({ ...CONDITIONAL, timeoutMs: 2_000 })).rejects.toThrow(OutcomeUnknownError);
    expect(asked).toBe(1);
    asked = 0;
    expect((await put({ body: {}, timeoutMs: 2_000 })).status).toBe(200);
    expect(asked).toBe(2);
  });

  it.each([refused(503, 'UNAVAILABLE'), refused(429, 'TOO_MANY_REQUESTS')])(
    'is sent to the other all the same when the first has not taken it on',
    async (says) => {
      first = says;
      expect((await put(CONDITIONAL)).status).toBe(200);
      expect(asked).toBe(2);
    },
  );

  it('is sent to the other all the same when nobody has heard it', async () => {
    const [gone, there] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await new Promise((resolve) => servers[0]!.close(resolve));
    // Whichever it begins with.
    for (let i = 0; i < 10; i++)
      expect((await new Transport({ servers: [gone!, there!] }).ask('PUT', PATH, CONDITIONAL)).status).toBe(200);
    await expect(new Transport({ servers: [gone!] }).ask('PUT', PATH, CONDITIONAL)).rejects.toThrow(
      ServersUnavailableError,
    );
  });
});
