import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { RegistryBackend } from '#core';
import { registration } from '#core/testing';
import { run } from '../../servers/command.js';
import { consul, consulProgram, startAgent, type ConsulAgent } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { freePort } from '../../servers/ports.js';
import { actor, createBackend, START_MS } from './support/consul-under-test.js';

let folder: string;
let port: number;
let agent: ConsulAgent;
let backend: RegistryBackend | undefined;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-discovery-consul-tls-'));
  port = await freePort();
  const make = (...args: string[]) => run(consulProgram(), ['tls', ...args], { cwd: folder });
  await make('ca', 'create');
  await make('cert', 'create', '-server', '-additional-ipaddress=127.0.0.1');
  await make('cert', 'create', '-client');
  await make('ca', 'create', '-domain=another');
  const files = {
    ca_file: file('consul-agent-ca.pem'),
    cert_file: file('dc1-server-consul-0.pem'),
    key_file: file('dc1-server-consul-0-key.pem'),
  };
  const lines = Object.entries(files).map(([name, path]) => `${name} = ${JSON.stringify(path)}`);
  agent = await startAgent({
    configuration: [`ports { https = ${port} }`, `tls { https { verify_incoming = true\n${lines.join('\n')}\n} }`],
  });
}, START_MS);
afterEach(async () => {
  await backend?.stop();
  backend = undefined;
});
afterAll(async () => {
  await agent.server.stop();
  await rm(folder, { recursive: true });
});

async function start(environment: Record<string, string>): Promise<RegistryBackend> {
  backend = await createBackend({ CONSUL_PORT: String(port), CONSUL_TLS: 'true', ...environment });
  await backend.start();
  return backend;
}

describeOwn(consul)('an agent that speaks TLS', () => {
  const authority = () => ({ CONSUL_TLS_CA: file('consul-agent-ca.pem') });
  const certificate = () => ({
    CONSUL_TLS_CERT: file('dc1-client-consul-0.pem'),
    CONSUL_TLS_KEY: file('dc1-client-consul-0-key.pem'),
  });

  it('is spoken to, and shown who we are', async () => {
    const { registrar } = await start({ ...authority(), ...certificate() });
    await registrar!.register(registration(), { actor });
    expect((await backend!.list()).instances).toHaveLength(1);
  });

  it.each<[string, () => Record<string, string>]>([
    ['without a certificate of ours', authority],
    ['without its authority', certificate],
    ['with another authority', () => ({ ...certificate(), CONSUL_TLS_CA: file('another-agent-ca.pem') })],
    ['without TLS', () => ({ CONSUL_TLS: 'false' })],
    ['where there is no TLS', () => ({ ...authority(), CONSUL_PORT: String(agent.port) })],
  ])('stops the start %s', async (_, environment) => {
    await expect(start(environment())).rejects.toThrow(/^consul: .* \(see .*CONSUL_TLS[^\n]*\)$/);
  });

  it('needs files that are there', async () => {
    await expect(start({ CONSUL_TLS_CA: file('nothing.pem') })).rejects.toThrow(
      /^CONSUL_TLS_CA=.*nothing.pem cannot be read: /,
    );
  });
});
