import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { keyOf, statusOf, type RegistryBackend } from '#core';
import { registration, Watcher } from '#core/testing';
import { consul, startAgent, type ConsulAgent } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { actor, createBackend, operate, START_MS } from './support/consul-under-test.js';

const KEY = keyOf(registration());

interface Replica {
  readonly agent: ConsulAgent;
  readonly backend: RegistryBackend;
  readonly watcher: Watcher;
}

let server: ConsulAgent;
let replicas: Replica[];
let count = 0;

beforeAll(async () => {
  server = await startAgent();
}, START_MS);
afterAll(() => server.server.stop());

beforeEach(async () => {
  replicas = await Promise.all([replica(), replica()]);
}, START_MS);
afterEach(async () => {
  for (const { agent, backend, watcher } of replicas) {
    await watcher.stop();
    await backend.stop();
    await agent.server.stop();
    await operate(server, 'PUT', 'catalog/deregister', { Node: agent.name });
  }
  await operate(server, 'DELETE', 'kv/?recurse');
});

/** Behind an agent of its own. The others remember the names of those that have been. */
async function replica(): Promise<Replica> {
  const agent = await startAgent({ name: `client-${++count}`, role: 'client', join: server });
  const backend = await createBackend({ CONSUL_PORT: String(agent.port) });
  await backend.start();
  const watcher = new Watcher(backend);
  await watcher.until('the beginning', () => watcher.events.length > 0);
  return { agent, backend, watcher };
}

describeOwn(consul)('two replicas behind two agents of one cluster', () => {
  it(
    'take any write of any instance',
    async () => {
      const [one, other] = replicas as [Replica, Replica];
      await one.backend.registrar!.register(registration({ ttl: 5_000 }), { actor });
      await other.backend.registrar!.renew(KEY, { status: 'warning', loadPercentage: 0.5 }, { actor });
      await one.watcher.until('the status', () => one.watcher.get(KEY)?.reported === 'warning');
      await one.watcher.until('the load', () => one.watcher.get(KEY)?.vitals.loadPercentage === 0.5);
      await one.backend.registrar!.update(KEY, { kind: 'maintenance', maintenance: { reason: 'disk' } }, { actor });
      await other.backend.registrar!.update(KEY, { kind: 'patch', tags: ['new'] }, { actor });
      for (const { watcher } of replicas) {
        await watcher.until(
          'both changes',
          () => watcher.get(KEY)?.tags[0] === 'new' && statusOf(watcher.get(KEY)!) === 'maintenance',
        );
      }
      await other.backend.registrar!.deregister(KEY, { actor: 'other', cause: 'deregistered' });
      await one.watcher.until('the removal', () => one.watcher.get(KEY) === undefined);
      expect(one.watcher.removals(KEY)).toMatchObject([{ cause: 'deregistered', actor: 'other' }]);
    },
    START_MS,
  );

  it(
    'share the heartbeats of an instance, and end it when there are none',
    async () => {
      const [one, other] = replicas as [Replica, Replica];
      const ttl = 5_000;
      await one.backend.registrar!.register(registration({ ttl }), { actor });
      await other.watcher.until('the instance', () => other.watcher.get(KEY) !== undefined);
      let turn = 0;
      const heartbeats = setInterval(
        () => void replicas[turn++ % 2]!.backend.registrar!.renew(KEY, {}, { actor }).catch(() => undefined),
        ttl / 5,
      );
      await new Promise((resolve) => setTimeout(resolve, 2 * ttl));
      clearInterval(heartbeats);
      const last = performance.now();
      expect(one.watcher.removals(KEY)).toEqual([]);
      for (const { watcher } of replicas) {
        await watcher.until('the end', () => watcher.get(KEY) === undefined, ttl + 2_000);
        expect(watcher.removals(KEY)).toMatchObject([{ cause: 'expired', actor: 'registry' }]);
      }
      // Whoever took the last one may not have told the others of it: a third of the TTL is theirs.
      expect(performance.now() - last).toBeGreaterThan(ttl * 0.6);
    },
    START_MS,
  );

  it(
    'keep what was registered through an agent that is killed',
    async () => {
      const [one, other] = replicas as [Replica, Replica];
      await one.backend.registrar!.register(registration(), { actor });
      await operate(one.agent, 'PUT', 'agent/service/register', { Name: 'local', ID: 'local-1', Port: 1 });
      const local = { serviceName: 'local', serviceId: 'local-1' };
      await other.watcher.until('both', () => other.watcher.instances.size === 2);
      await one.agent.server.kill();
      await one.watcher.until('the outage', () => one.watcher.stale);
      // What Consul says of what the agent itself was for.
      await other.watcher.until('its own', () => statusOf(other.watcher.get(local)!) === 'critical', START_MS);
      await other.backend.registrar!.renew(KEY, {}, { actor });
      expect(statusOf(other.watcher.get(KEY)!)).toBe('passing');
      await one.agent.server.restart();
      await one.watcher.until('the end of it', () => !one.watcher.stale, START_MS);
      expect(one.watcher.get(KEY)).toBeDefined();
    },
    3 * START_MS,
  );

  it(
    'find an agent that stands still by asking it',
    async () => {
      const [one, other] = replicas as [Replica, Replica];
      await one.agent.server.suspend();
      await expect(one.backend.ping(AbortSignal.timeout(500))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await other.backend.registrar!.register(registration(), { actor });
      one.agent.server.resume();
      await one.watcher.until('what came meanwhile', () => one.watcher.get(KEY) !== undefined);
    },
    START_MS,
  );
});
