import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { keyOf, type RegistryBackend } from '#core';
import { registration, Watcher, useConfigStore } from '#core/testing';
import { consul, startAgent, type ConsulAgent } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { actor, createBackend, operate, START_MS } from './support/consul-under-test.js';

const POLICY = readFileSync(join(import.meta.dirname, '../../../docs/backends/consul-policy.hcl'), 'utf8');
const MANAGEMENT = randomUUID();
const KEY = keyOf(registration());

let agent: ConsulAgent;
const running: { readonly backend: RegistryBackend; readonly watcher?: Watcher }[] = [];

beforeAll(async () => {
  agent = await startAgent({
    token: MANAGEMENT,
    configuration: [
      `acl { enabled = true default_policy = "deny" tokens { initial_management = "${MANAGEMENT}" agent = "${MANAGEMENT}" } }`,
    ],
  });
}, START_MS);
afterAll(() => agent.server.stop());
afterEach(async () => {
  for (const { backend, watcher } of running.splice(0)) {
    await watcher?.stop();
    await backend.stop();
  }
  await manage('DELETE', 'kv/?recurse');
});

function manage(method: string, path: string, body?: unknown): Promise<any> {
  return operate(agent, method, path, body, MANAGEMENT);
}

interface Token {
  readonly secret: string;
  /** What it may do from now on. */
  allow(rules: string): Promise<void>;
  revoke(): Promise<void>;
}

async function tokenFor(rules: string): Promise<Token> {
  const policy = await manage('PUT', 'acl/policy', { Name: `policy-${randomUUID()}`, Rules: rules });
  const token = await manage('PUT', 'acl/token', { Policies: [{ ID: policy.ID }] });
  return {
    secret: String(token.SecretID),
    allow: (Rules) => manage('PUT', `acl/policy/${policy.ID}`, { ID: policy.ID, Name: policy.Name, Rules }),
    revoke: () => manage('DELETE', `acl/token/${token.AccessorID}`),
  };
}

async function backendWith(token?: string): Promise<RegistryBackend> {
  const backend = await createBackend({
    CONSUL_PORT: String(agent.port),
    ...(token !== undefined && { CONSUL_TOKEN: token }),
  });
  running.push({ backend });
  await backend.start();
  return backend;
}

async function following(token: Token): Promise<{ readonly backend: RegistryBackend; readonly watcher: Watcher }> {
  const backend = await backendWith(token.secret);
  const watcher = new Watcher(backend);
  running.push({ backend, watcher });
  await watcher.until('the beginning', () => watcher.events.length > 0);
  return { backend, watcher };
}

/** The policy without one of its rules. */
function without(rule: string): string {
  const start = POLICY.indexOf(rule);
  return POLICY.slice(0, start) + POLICY.slice(POLICY.indexOf('}', start) + 1);
}

describeOwn(consul)('a token with our policy', () => {
  it('may do all that we do', async () => {
    await manage('PUT', 'catalog/register', { Node: 'host', Address: '10.0.0.9', Service: { Service: 'foreign' } });
    const { backend, watcher } = await following(await tokenFor(POLICY));
    const { registrar } = backend;
    await registrar!.register(registration(), { actor });
    await registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
    await registrar!.update(KEY, { kind: 'maintenance' }, { actor });
    await registrar!.renew(KEY, { status: 'warning' }, { actor });
    await watcher.until('both', () => watcher.instances.size === 2);
    await registrar!.deregister(KEY, { actor, cause: 'deregistered' });
    await useConfigStore(backend);
    await manage('PUT', 'catalog/deregister', { Node: 'host' });
    await watcher.until('nothing', () => watcher.instances.size === 0);
  });

  it.each(['key_prefix "service-discovery/"', 'node_prefix "service-discovery-"'])(
    'needs %s to start',
    async (rule) => {
      const { secret } = await tokenFor(without(rule));
      await expect(backendWith(secret)).rejects.toThrow(/^consul: .*[Pp]ermission denied.* CONSUL_TOKEN/);
    },
  );

  it('needs service_prefix "" to register', async () => {
    const { secret } = await tokenFor(without('service_prefix ""'));
    const backend = await backendWith(secret);
    await expect(backend.registrar!.register(registration(), { actor })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('Permission denied'),
    });
    expect((await backend.list()).instances).toEqual([]);
  });

  it('needs node_prefix "" to see what others have registered', async () => {
    await manage('PUT', 'catalog/register', { Node: 'host', Address: '10.0.0.9', Service: { Service: 'foreign' } });
    const seen = async (rules: string) =>
      (await (await backendWith((await tokenFor(rules)).secret)).list()).instances.length;
    expect([await seen(POLICY), await seen(without('node_prefix ""'))]).toEqual([1, 0]);
    await manage('PUT', 'catalog/deregister', { Node: 'host' });
  });
});

describeOwn(consul)('a token that Consul does not take', () => {
  it('stops the start, with one line that names it', async () => {
    await expect(backendWith(randomUUID())).rejects.toThrow(/^consul: 403: ACL not found.* CONSUL_TOKEN[^\n]*$/);
    await expect(backendWith()).rejects.toThrow(/^consul: .*[Pp]ermission denied.* CONSUL_TOKEN[^\n]*$/);
  });

  it.each<[string, (token: Token) => Promise<void>]>([
    ['revoked', (token) => token.revoke()],
    ['allowed to read nothing of ours', (token) => token.allow('node_prefix "" { policy = "read" }')],
  ])(
    'since it was %s, empties no answer',
    async (_, change) => {
      const token = await tokenFor(POLICY);
      const { backend, watcher } = await following(token);
      await backend.registrar!.register(registration(), { actor });
      await watcher.until('the instance', () => watcher.get(KEY) !== undefined);
      await change(token);
      await watcher.until('the outage', () => watcher.stale, 30_000);
      expect(watcher.get(KEY)).toBeDefined();
      await expect(backend.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(backend.registrar!.renew(KEY, { status: 'warning' }, { actor })).rejects.toMatchObject({
        code: expect.stringMatching(/UNAVAILABLE|CONFLICT/),
      });
    },
    60_000,
  );
});
