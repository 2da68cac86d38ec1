import { setTimeout as sleep } from 'node:timers/promises';
import { asOperator, DURABLE, portOf, redis, startRedis } from '../servers/redis.js';
import { RedisSentinels } from '../servers/redis-sentinels.js';
import { until } from '../support/until.js';
import type { Fault } from './support/fault.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, KILLED, SLOW } from './support/faults.js';
import { faultsOf } from './support/suite.js';

/** Until the sentinels agree and the replica is master. The machine may be busy. */
const FAILOVER_MS = 60_000;

const KILLED_CLIENTS: Fault = {
  name: 'CLIENT KILL, again and again',
  ms: 3_000,
  outage: false,
  begin: () => undefined,
  meanwhile: async ({ subject }) => {
    for (let i = 0; i < 6; i++) {
      await asOperator(subject.server, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'));
      await sleep(400);
    }
  },
  end: () => undefined,
};

const FLUSHED: Fault = {
  name: 'FLUSHALL',
  ms: 0,
  outage: false,
  loses: 'everything',
  begin: async ({ subject }) => {
    await asOperator(subject.server, (client) => client.flushall());
  },
  end: () => undefined,
};

faultsOf(redis, {
  start: async () => {
    const server = await startRedis(DURABLE);
    const environment = (port: number, trial: string) => ({
      REGISTRY_TYPE: 'redis',
      REDIS_URL: `redis://127.0.0.1:${port}`,
      REGISTRY_PREFIX: trial,
    });
    return { server, port: portOf(server), environment, forget: () => server.forget(), stop: () => server.stop() };
  },
  apart: [CUT, SLOW, ALONE],
  together: [KILLED, FROZEN, FORGOTTEN, FORGOTTEN_AND_HELD, KILLED_CLIENTS, FLUSHED],
});

let sentinels: RedisSentinels;

const FAILOVER: Fault = {
  name: 'failover to a replica',
  ms: 0,
  outage: true,
  // Replication is not waited for.
  loses: 'the last writes',
  begin: ({ subject }) => subject.server.kill(),
  end: () =>
    until(async () => {
      const info = await asOperator(sentinels.replica, (client) => client.info('replication')).catch(() => '');
      return info.includes('role:master');
    }, FAILOVER_MS),
};

faultsOf(redis, {
  start: async () => {
    sentinels = await RedisSentinels.start();
    const { master, address } = sentinels;
    const environment = (_port: number, trial: string) => ({
      REGISTRY_TYPE: 'redis',
      REDIS_URL: address,
      REGISTRY_PREFIX: trial,
    });
    return {
      server: master,
      port: portOf(master),
      environment,
      forget: () => master.forget(),
      stop: () => sentinels.stop(),
    };
  },
  apart: [],
  together: [FAILOVER],
});
