import { describe, expect, it } from '@jest/globals';
import { probeContract, type ProbeSubject } from '#core/testing';
import { createGuard } from '../guard.js';
import { closedPort, serveTcp } from '../testing/servers.js';
import { tcp } from './tcp.js';

let resolving = () => {};
const guard = createGuard({
  allowLoopback: true,
  denied: [],
  lookup: (hostname, _options, callback) => {
    resolving();
    if (hostname !== 'silent.test') callback(null, [{ address: '127.0.0.1', family: 4 }]);
  },
});
const target = { address: '127.0.0.1', port: 1, protocol: 'tcp', options: {} };

async function healthy(): Promise<ProbeSubject> {
  const server = await serveTcp();
  return { ...server, target: { ...target, port: server.port } };
}

/** An accepted connection is all that is asked, so what never answers is the resolver. */
async function silent(): Promise<ProbeSubject> {
  const reached = new Promise<void>((resolve) => (resolving = resolve));
  return { target: { ...target, address: 'silent.test' }, reached, idle: async () => {}, close: async () => {} };
}

probeContract({
  module: tcp,
  context: { guard },
  healthy,
  silent,
  refusing: async () => ({ ...target, port: await closedPort() }),
});

describe('tcp probe', () => {
  const probe = tcp.create!({ guard });
  const signal = () => AbortSignal.timeout(5_000);

  it('connects to the address of the check rather than the instance', async () => {
    const server = await serveTcp();
    const options = { address: `localhost:${server.port}` };
    const result = await probe.probe({ ...target, options }, signal());
    await server.close();
    expect(result).toEqual({ status: 'passing', output: `TCP connect localhost:${server.port}: success` });
    expect(server.connections()).toBe(1);
  });

  it('refuses a forbidden literal in the address of the check', async () => {
    const result = await probe.probe({ ...target, options: { address: '[::ffff:a9fe:a9fe]:80' } }, signal());
    expect(result.status).toBe('critical');
    expect(result.output).toContain('169.254.169.254');
  });

  it.each(['host', 'host:0', 'host:70000', ':80', '::1:80', 'a b:80', '2852039166:80', '[fe80::1%eth0]:80', 'h:80/x'])(
    'does not take the address %s',
    (address) => expect(tcp.options.safeParse({ address }).success).toBe(false),
  );

  it.each(['host:80', '10.0.0.1:65535', '[2001:db8::1]:80'])('takes the address %s', (address) =>
    expect(tcp.options.parse({ address })).toEqual({ address }),
  );
});
