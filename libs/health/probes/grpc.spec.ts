import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HealthImplementation } from 'grpc-health-check';
import type { JsonObject, ProbeResult } from '#core';
import { probeContract, type ProbeSubject } from '#core/testing';
import { createGuard } from '../guard.js';
import { closedPort, listening, serveHttp, serveTcp, type TestServer } from '../testing/servers.js';
import { grpc } from './grpc.js';
import { encodeRequest } from './grpc-wire.js';

const guard = createGuard({ allowLoopback: true, denied: [] });
const target = { address: '127.0.0.1', port: 1, protocol: 'grpc', options: {} };

/** The reference implementation, as the ecosystem runs it. */
let server: Server;
let serverPort: number;

beforeAll(async () => {
  server = new Server();
  new HealthImplementation({ '': 'SERVING', good: 'SERVING', bad: 'NOT_SERVING', odd: 'UNKNOWN' }).addToServer(server);
  serverPort = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
});

afterAll(() => server.forceShutdown());

async function subject(opened: Promise<TestServer>): Promise<ProbeSubject> {
  const opening = await opened;
  return { ...opening, target: { ...target, port: opening.port } };
}

probeContract({
  module: grpc,
  context: { guard },
  // In between, to see the connections.
  healthy: () =>
    subject(
      serveTcp((socket) => {
        const onward = connect(serverPort, '127.0.0.1');
        onward.on('error', () => socket.destroy());
        socket.once('close', () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      }),
    ),
  silent: () => subject(serveTcp()),
  refusing: async () => ({ ...target, port: await closedPort() }),
});

describe('grpc probe', () => {
  const probe = grpc.create!({ guard });
  let servers: TestServer[];

  beforeEach(() => {
    servers = [];
  });

  afterEach(async () => {
    await Promise.all(servers.map((each) => each.close()));
  });

  async function serve(opened: Promise<TestServer>): Promise<TestServer> {
    const opening = await opened;
    servers.push(opening);
    return opening;
  }

  function ask(port: number, options: JsonObject = {}, timeout = 5_000): Promise<ProbeResult> {
    return probe.probe({ ...target, port, options }, AbortSignal.timeout(timeout));
  }

  async function answeredBy(answer: (stream: ServerHttp2Stream) => void, timeout?: number): Promise<ProbeResult> {
    const http2 = createHttp2Server();
    http2.on('stream', (stream) => {
      stream.on('error', () => {});
      answer(stream);
    });
    return ask((await serve(listening(http2))).port, {}, timeout);
  }

  const ok = { ':status': 200, 'content-type': 'application/grpc' };

  it.each([
    ['', 'passing', 'SERVING'],
    ['/good', 'passing', 'SERVING'],
    ['/bad', 'critical', 'NOT_SERVING'],
    ['/odd', 'critical', 'UNKNOWN'],
    ['/none', 'critical', 'gRPC status 5: Health status unknown for service none'],
  ])('asks the service "%s" of the check: %s', async (service, status, output) => {
    const at = `127.0.0.1:${serverPort}`;
    expect(await ask(1, { grpc: `${at}${service}` })).toEqual({
      status,
      output: `gRPC check ${at}${service}: ${output}`,
    });
  });

  it('asks by name', async () => {
    expect(await ask(1, { grpc: `localhost:${serverPort}` })).toMatchObject({ status: 'passing' });
  });

  it('says where there is no health service', async () => {
    const bare = new Server();
    const port = await new Promise<number>((resolve) => {
      bare.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
    });
    expect(await ask(port)).toMatchObject({ status: 'critical', output: expect.stringContaining('gRPC status 12') });
    bare.forceShutdown();
  });

  it.each(['localhost', '127.0.0.1'])('speaks TLS to %s when asked to, with HTTP/2 and its name', async (host) => {
    let hello = Buffer.alloc(0);
    const tls = await serve(
      serveTcp((socket) =>
        socket.once('data', (data) => {
          hello = data;
          socket.end();
        }),
      ),
    );
    expect(await ask(1, { grpc: `${host}:${tls.port}`, grpc_use_tls: true })).toMatchObject({ status: 'critical' });
    // A handshake record with a ClientHello in it.
    expect([hello[0], hello[5]]).toEqual([22, 1]);
    expect(hello.includes('\u0002h2')).toBe(true);
    expect(hello.includes('localhost')).toBe(host === 'localhost');
  });

  it.each(['host', 'host/service', ':1/x', 'http://host:1', '2852039166:80', '[fe80::1%eth0]:80'])(
    'does not take %s',
    (asked) => expect(grpc.options.safeParse({ grpc: asked }).success).toBe(false),
  );

  describe('against the hostile', () => {
    it.each(['[::ffff:169.254.169.254]:80', '169.254.169.254:80', '[64:ff9b::a9fe:a9fe]:80/x'])(
      'refuses %s',
      async (asked) => {
        const result = await ask(1, { grpc: asked });
        expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('is refused') });
      },
    );

    it('connects to what was checked', async () => {
      const answers = ['127.0.0.1', '169.254.169.254'];
      const rebinding = grpc.create!({
        guard: createGuard({
          allowLoopback: true,
          denied: [],
          lookup: (_hostname, _options, callback) => callback(null, [{ address: answers.shift()!, family: 4 }]),
        }),
      });
      const named = { ...target, address: 'rebinding.test', port: serverPort };
      expect(await rebinding.probe(named, AbortSignal.timeout(5_000))).toMatchObject({ status: 'passing' });
      const second = await rebinding.probe(named, AbortSignal.timeout(5_000));
      expect(second).toMatchObject({ status: 'critical', output: expect.stringContaining('169.254.169.254') });
    });

    it('takes no answer without a status of gRPC', async () => {
      const result = await answeredBy((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' });
        stream.end('<p>hello');
      });
      expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('no gRPC answer: HTTP 200') });
    });

    it('takes no answer that is none for HTTP', async () => {
      const result = await answeredBy((stream) => {
        stream.respond({ ...ok, ':status': 500, 'grpc-status': '0' });
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
      });
      expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('no gRPC answer: HTTP 500') });
    });

    it('takes a complaint without a body, in any encoding', async () => {
      const result = await answeredBy((stream) => {
        stream.respond({ ...ok, 'grpc-status': '14', 'grpc-message': '100%' }, { endStream: true });
      });
      expect(result.output).toMatch(/gRPC status 14: 100%$/);
    });

    it.each([
      ['empty', Buffer.alloc(0)],
      ['rubbish', Buffer.from('rubbish')],
      ['somebody’s request', encodeRequest('x')],
    ])('takes no answer that is %s', async (_, body) => {
      const result = await answeredBy((stream) => {
        stream.respond(ok, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(body);
      });
      expect(result).toMatchObject({ status: 'critical' });
    });

    it('cuts an answer without end', async () => {
      const result = await answeredBy((stream) => {
        stream.respond(ok);
        const more = () => {
          while (!stream.destroyed && stream.write(Buffer.alloc(10_000)));
          if (!stream.destroyed) stream.once('drain', more);
        };
        more();
      });
      expect(result.output).toMatch(/more than 4096 bytes/);
    });

    it('ends at the deadline with an answer that does not come', async () => {
      const result = await answeredBy((stream) => stream.respond(ok), 150);
      expect(result).toMatchObject({ status: 'critical', output: expect.stringContaining('timeout') });
    });

    it('finds a server of HTTP/1 critical, one that speaks something else, and one that resets', async () => {
      const others = [
        serveHttp((_, response) => response.end('ok')),
        serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
        serveTcp((socket) => socket.resetAndDestroy()),
      ];
      for (const other of others) {
        const opened = await serve(other);
        expect(await ask(opened.port)).toMatchObject({ status: 'critical' });
        await opened.idle();
      }
    });
  });
});
