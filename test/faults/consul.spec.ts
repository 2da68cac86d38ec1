import { consul, startAgent, startCluster, type ConsulAgent } from '../servers/consul.js';
import { getJson } from '../servers/http.js';
import { until } from '../support/until.js';
import type { Fault } from './support/fault.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, JUMPS, KILLED, SLOW } from './support/faults.js';
import { oneProcess } from './support/subject.js';
import { faultsOf } from './support/suite.js';

const ELECTED_MS = 60_000;

const environment = (port: number, trial: string) => ({
  REGISTRY_TYPE: 'consul',
  CONSUL_PORT: String(port),
  REGISTRY_PREFIX: trial,
});

faultsOf(consul, {
  start: async () => {
    const { server, port } = await startAgent();
    return { ...oneProcess(server), port, environment };
  },
  // Its catalog has one place for all: what one writes is others' to the next.
  ownEach: true,
  apart: [CUT, SLOW, JUMPS, ALONE],
  together: [KILLED, FROZEN, FORGOTTEN, FORGOTTEN_AND_HELD],
  walk: true,
});

let [leader, follower, third]: readonly ConsulAgent[] = [];

const LEADER_KILLED: Fault = {
  name: 'leader killed, one of three',
  ms: 0,
  outage: true,
  begin: ({ subject }) => subject.kill(),
  end: () =>
    until(async () => {
      const elected = (await getJson(`${follower!.address}/v1/status/leader`)) as string;
      return elected !== '' && elected !== leader!.rpcAddress;
    }, ELECTED_MS),
};

faultsOf(consul, {
  start: async () => {
    [leader, follower, third] = await startCluster(3);
    const agents = [leader!, follower!, third!];
    const stop = async () => {
      await Promise.all(agents.map(({ server }) => server.stop()));
    };
    return { ...oneProcess(leader!.server), port: follower!.port, environment, stop };
  },
  apart: [],
  together: [LEADER_KILLED],
});
