import { setTimeout as sleep } from 'node:timers/promises';
import { asOperator, DURABLE, portOf, redis, startRedis } from '../servers/redis.js';
import { RedisSentinels } from '../servers/redis-sentinels.js';
import type { Server } from '../servers/server.js';
import { until } from '../support/until.js';
import type { Fault } from './support/fault.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, JUMPS, KILLED, SLOW } from './support/faults.js';
import { oneProcess } from './support/subject.js';
import { faultsOf } from './support/suite.js';

/** Until the sentinels agree and the replica is master. The machine may be busy. */
const FAILOVER_MS = 60_000;

const environmentAt = (url: string, trial: string) => ({
  REGISTRY_TYPE: 'redis',
  REDIS_URL: url,
  REGISTRY_PREFIX: trial,
});

let server: Server;

const CLIENTS_KILLED: Fault = {
  name: '`CLIENT KILL`, again and again',
  ms: 3_000,
  outage: false,
  begin: () => undefined,
  meanwhile: async () => {
    for (let i = 0; i < 6; i++) {
      await asOperator(server, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'));
      await sleep(400);
    }
  },
  end: () => undefined,
};

const FLUSHED: Fault = {
  name: '`FLUSHALL`',
  ms: 0,
  outage: false,
  loses: 'everything',
  begin: async () => {
    await asOperator(server, (client) => client.flushall());
  },
  end: () => undefined,
};

faultsOf(redis, {
  start: async () => {
    server = await startRedis(DURABLE);
    const environment = (port: number, trial: string) => environmentAt(`redis://127.0.0.1:${port}`, trial);
    return { ...oneProcess(server), port: portOf(server), environment };
  },
  apart: [CUT, SLOW, JUMPS, ALONE],
  together: [KILLED, FROZEN, FORGOTTEN, FORGOTTEN_AND_HELD, CLIENTS_KILLED, FLUSHED],
  walk: true,
});

let sentinels: RedisSentinels;

const FAILOVER: Fault = {
  name: 'failover to a replica',
  ms: 0,
  outage: true,
  // Replication is not waited for.
  loses: 'the last writes',
  begin: ({ subject }) => subject.kill(),
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
    // The sentinels name the addresses: there is no way in between.
    const environment = (_port: number, trial: string) => environmentAt(address, trial);
    return { ...oneProcess(master), port: portOf(master), environment, stop: () => sentinels.stop() };
  },
  apart: [],
  together: [FAILOVER],
});
