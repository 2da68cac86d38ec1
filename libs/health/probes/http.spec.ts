import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HealthProbe, JsonObject, ProbeResult } from '#core';
import { probeContract, type ProbeSubject } from '#core/testing';
import { createGuard } from '../guard.js';
import { closedPort, serveHttp, serveTcp, type TestServer } from '../testing/servers.js';
import { http } from './http.js';

const guard = createGuard({ allowLoopback: true, denied: [] });
const target = { address: '127.0.0.1', port: 1, protocol: 'http', options: {} };

async function subject(opened: Promise<TestServer>): Promise<ProbeSubject> {
  const server = await opened;
  return { ...server, target: { ...target, port: server.port } };
}

probeContract({
  module: http,
  context: { guard },
  healthy: () => subject(serveHttp((_, response) => response.end('ok'))),
  silent: () => subject(serveHttp(() => {})),
  refusing: async () => ({ ...target, port: await closedPort() }),
});

describe('http probe', () => {
  let probe: HealthProbe;
  let servers: TestServer[];

  beforeEach(() => {
    servers = [];
    probe = http.create!({ guard });
  });

  afterEach(async () => {
    await probe.close?.();
    await Promise.all(servers.map((server) => server.close()));
  });

  async function serve(opened: Promise<TestServer>): Promise<TestServer> {
    const server = await opened;
    servers.push(server);
    return server;
  }

  function ask(port: number, options: JsonObject = {}, timeout = 5_000): Promise<ProbeResult> {
    return probe.probe({ ...target, port, options }, AbortSignal.timeout(timeout));
  }

  async function answeredBy(listener: RequestListener, timeout?: number): Promise<ProbeResult> {
    return ask((await serve(serveHttp(listener))).port, {}, timeout);
  }

  async function rawly(bytes: string, timeout?: number): Promise<ProbeResult> {
    const server = await serve(serveTcp((socket) => socket.once('data', () => socket.write(bytes))));
    return ask(server.port, {}, timeout);
  }

  /** Writes until the other side is gone. */
  function endlessly(response: ServerResponse, chunk: Buffer): void {
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  }

  describe('what it asks', () => {
    it.each([
      [{}, '/health'],
      [{ http_path: '/ready?deep=1' }, '/ready?deep=1'],
      [{ http_path: 'ready' }, '/ready'],
      [{ http_path: '//elsewhere.test/' }, '//elsewhere.test/'],
      [{ http_path: '/../../x' }, '/x'],
    ])('%j: GET %s of the instance itself', async (options, url) => {
      let asked: unknown;
      const server = await serve(
        serveHttp((request, response) => {
          asked = [request.method, request.url, request.headers.host];
          response.end();
        }),
      );
      await expect(ask(server.port, options)).resolves.toMatchObject({ status: 'passing' });
      expect(asked).toEqual(['GET', url, `127.0.0.1:${server.port}`]);
    });

    it('asks the URL of the check rather than the instance', async () => {
      const server = await serve(serveHttp((_, response) => response.end()));
      const result = await ask(1, { url: `http://127.0.0.1:${server.port}/x?y=z` });
      expect(result.output).toBe(`GET http://127.0.0.1:${server.port}/x?y=z: 200`);
    });

    it('speaks TLS where the instance does', async () => {
      const server = await serve(serveTcp((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')));
      const tls = { ...target, port: server.port, protocol: 'https' };
      const result = await probe.probe(tls, AbortSignal.timeout(5_000));
      expect(result.output).toMatch(/^GET https:.*(SSL|TLS|ssl|tls|EPROTO|wrong version)/);
    });

    it('resolves a name for every probe', async () => {
      const server = await serve(serveHttp((_, response) => response.end()));
      const named = { ...target, address: 'localhost', port: server.port };
      for (let i = 0; i < 3; i++) await probe.probe(named, AbortSignal.timeout(5_000));
      expect(server.connections()).toBe(3);
    });

    it('keeps connections, and takes a new one when a kept one was closed', async () => {
      const server = await serve(
        serveHttp((request, response) => {
          response.end();
          // A server that promises to keep the connection and does not.
          if (request.url === '/closing') response.once('close', () => request.socket.destroy());
        }),
      );
      const paths = ['/a', '/b', '/closing', '/c'];
      for (const http_path of paths) expect((await ask(server.port, { http_path })).status).toBe('passing');
      expect(server.connections()).toBe(2);
    });

    it('does not blame the instance for a kept connection that dies just as it is used again', async () => {
      let requests = 0;
      const server = await serve(
        serveHttp((request, response) => {
          if (++requests === 2) request.socket.destroy();
          else response.end();
        }),
      );
      expect((await ask(server.port)).status).toBe('passing');
      expect((await ask(server.port)).status).toBe('passing');
      expect(requests).toBe(3);
    });
  });

  describe('its options', () => {
    it.each([
      'ftp://host/',
      'file:///etc/passwd',
      'gopher://host/',
      'javascript:alert(1)',
      'http://user:secret@host/',
      'http://user@host/',
      'not a url',
      '/health',
      `http://host/${'x'.repeat(2_048)}`,
    ])('do not take the url %s', (url) => expect(http.options.safeParse({ url }).success).toBe(false));

    it('are one place or the other', () => {
      expect(http.options.safeParse({ url: 'http://host/', http_path: '/' }).success).toBe(false);
      expect(http.options.parse({ url: 'http://host/' })).toEqual({ url: 'http://host/' });
    });
  });

  describe('what an answer means', () => {
    it.each([
      [200, 'passing'],
      [204, 'passing'],
      [299, 'passing'],
      [304, 'critical'],
      [400, 'critical'],
      [404, 'critical'],
      [429, 'warning'],
      [500, 'critical'],
      [503, 'critical'],
    ])('%i is %s', async (code, status) => {
      const result = await answeredBy((_, response) => response.writeHead(code).end());
      expect(result).toMatchObject({ status, output: expect.stringMatching(`/health: ${code}`) });
    });

    it.each([
      ['healthy', 'passing'],
      ['UP', 'passing'],
      ['degraded', 'warning'],
      ['Warning', 'warning'],
      ['unhealthy', 'critical'],
      ['down', 'critical'],
      ['critical', 'critical'],
      ['whatever', 'passing'],
    ])('a status of %s is %s', async (word, status) => {
      const result = await answeredBy((_, response) => response.end(JSON.stringify({ status: word })));
      expect(result.status).toBe(status);
    });

    it.each([
      [503, 'healthy', 'critical'],
      [429, 'unhealthy', 'warning'],
    ])('the code %i stands against a status of %s', async (code, word, status) => {
      const result = await answeredBy((_, response) => response.writeHead(code).end(JSON.stringify({ status: word })));
      expect(result.status).toBe(status);
    });

    it('takes the load from JSON, and keeps what it said', async () => {
      const said = { status: 'healthy', load_percentage: 0.3, version: '1.2', db: { ok: true } };
      const result = await answeredBy((_, response) => response.end(JSON.stringify(said)));
      expect(result).toMatchObject({ loadPercentage: 0.3, data: said });
    });

    it.each([['"0.3"'], ['-1'], ['1e400'], ['null'], ['[0.3]']])('takes no load of %s', async (load) => {
      const result = await answeredBy((_, response) => response.end(`{"load_percentage": ${load}}`));
      expect(result).toEqual({ status: 'passing', output: expect.any(String), data: expect.any(Object) });
    });

    it.each([['[{"status":"down"}]'], ['"down"'], ['{"status":"down"'], ['null'], ['']])(
      'takes %s for text',
      async (text) => {
        const result = await answeredBy((_, response) => response.end(text));
        expect(result).toEqual({ status: 'passing', output: expect.stringContaining(text) });
      },
    );

    it('keeps of it what fits', async () => {
      const said = { first: 1, long: 'x'.repeat(5_000), last: 2 };
      const result = await answeredBy((_, response) => response.end(JSON.stringify(said)));
      expect(result.data).toEqual({ first: 1, last: 2 });
    });

    it('survives JSON nested as deep as it gets, and names that mean something to JavaScript', async () => {
      const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)},"__proto__":{"polluted":true},"b":1}`;
      const result = await answeredBy((_, response) => response.end(deep));
      expect(result).toMatchObject({ status: 'passing', data: { b: 1 } });
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });
  });

  describe('against the hostile', () => {
    it.each([
      'http://169.254.169.254/latest/meta-data/',
      'http://[::ffff:169.254.169.254]/',
      'http://[::ffff:a9fe:a9fe]/',
      'http://[::169.254.169.254]/',
      'http://[64:ff9b::169.254.169.254]/',
      'http://[2002:a9fe:a9fe::]/',
      'http://2852039166/',
      'http://0xa9fea9fe/',
      'http://0251.0376.0251.0376/',
      'http://169.254.43518/',
      'http://169.254.169.254./',
      'http://%31%36%39.254.169.254/',
      'http://①⑥⑨.254.169.254/',
      'http://[fd00:ec2::254]/',
      'http://[fe80::1]/',
      'http://0.0.0.0/',
      'http://0/',
    ])('refuses %s', async (url) => {
      const result = await ask(1, { url });
      expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('is refused') });
    });

    it('connects to what was checked: an answer of DNS that changes later changes nothing', async () => {
      const server = await serve(serveHttp((_, response) => response.end()));
      const answers = ['127.0.0.1', '169.254.169.254'];
      const rebinding = http.create!({
        guard: createGuard({
          allowLoopback: true,
          denied: [],
          lookup: (_hostname, _options, callback) => callback(null, [{ address: answers.shift()!, family: 4 }]),
        }),
      });
      const named = { ...target, address: 'rebinding.test', port: server.port };
      const first = await rebinding.probe(named, AbortSignal.timeout(5_000));
      expect({ ...first, left: [...answers] }).toMatchObject({ status: 'passing', left: ['169.254.169.254'] });
      const second = await rebinding.probe(named, AbortSignal.timeout(5_000));
      expect(second).toMatchObject({ status: 'critical', output: expect.stringContaining('169.254.169.254') });
      expect(server.connections()).toBe(1);
      await rebinding.close?.();
    });

    it.each(['http://169.254.169.254/', '/health/', 'http://localhost:1/'])(
      'does not follow to %s',
      async (location) => {
        const result = await answeredBy((_, response) => response.writeHead(302, { location }).end());
        expect(result).toMatchObject({ status: 'critical' });
        expect(result.output).toContain(`302 redirects to ${location}, which is not followed`);
      },
    );

    it('cuts an answer without end, and the connection with it', async () => {
      const server = await serve(serveHttp((_, response) => endlessly(response, Buffer.from('ÿ'.repeat(10_000)))));
      const result = await ask(server.port);
      await server.idle();
      expect(result.status).toBe('passing');
      expect(Buffer.byteLength(result.output)).toBeLessThanOrEqual(4_096);
      expect(result.output).toMatch(/ÿ$/);
    });

    it('ends at the deadline with an answer that comes byte by byte', async () => {
      const server = await serve(
        serveHttp((_, response) => {
          response.write('a');
          const drip = setInterval(() => response.write('a'), 20);
          response.once('close', () => clearInterval(drip));
        }),
      );
      const result = await ask(server.port, {}, 150);
      await server.idle();
      expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('timeout') });
    });

    it('ends at the deadline with headers that come byte by byte', async () => {
      const server = await serve(
        serveTcp((socket) => {
          socket.write('HTTP/1.1 200 OK\r\nx: ');
          const drip = setInterval(() => socket.write('a'), 20);
          socket.once('close', () => clearInterval(drip));
        }),
      );
      expect(await ask(server.port, {}, 150)).toMatchObject({ status: 'critical' });
      await server.idle();
    });

    it.each([
      ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`],
      ['something else than HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
      ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
      ['an answer cut short', 'HTTP/1.1 200 OK\r\ncontent-length: 5'],
      ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ])('finds %s critical', async (_, bytes) => {
      expect(await rawly(bytes, 300)).toMatchObject({ status: 'critical' });
    });

    it('finds a connection that is reset critical', async () => {
      const server = await serve(serveTcp((socket) => socket.resetAndDestroy()));
      expect(await ask(server.port)).toMatchObject({ status: 'critical' });
    });

    it('does not let a path that hangs hold up another of the same origin', async () => {
      const server = await serve(
        serveHttp((request, response) => {
          if (request.url !== '/hangs') response.end();
        }),
      );
      const abort = new AbortController();
      const { port } = server;
      const hanging = Array.from({ length: 8 }, () =>
        probe.probe({ ...target, port, options: { http_path: '/hangs' } }, abort.signal),
      );
      expect((await ask(port, { http_path: '/works' })).status).toBe('passing');
      abort.abort();
      await Promise.all(hanging);
    });

    it.each(['http', 'https'])('ends at the deadline while %s looks for the address', async (protocol) => {
      const lost = http.create!({ guard: createGuard({ allowLoopback: true, denied: [], lookup: () => {} }) });
      const began = performance.now();
      const named = { ...target, protocol, address: 'lost.test' };
      expect(await lost.probe(named, AbortSignal.timeout(100))).toMatchObject({ status: 'critical' });
      expect(performance.now() - began).toBeLessThan(1_500);
    });

    it('ends at the deadline in the middle of a TLS handshake', async () => {
      const server = await serve(serveTcp());
      const began = performance.now();
      const tls = { ...target, port: server.port, protocol: 'https' };
      expect(await probe.probe(tls, AbortSignal.timeout(100))).toMatchObject({ status: 'critical' });
      expect(performance.now() - began).toBeLessThan(1_500);
      await server.idle();
    });
  });
});
