import { Etcdctl } from '../backends/etcd/etcdctl.js';
import { Etcd, etcd } from '../servers/etcd.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, KILLED, SLOW } from './support/faults.js';
import type { Fault } from './support/fault.js';
import { faultsOf } from './support/suite.js';

/** What others wrote is no history any more when the server looks for it. */
const COMPACTED: Fault = {
  ...CUT,
  name: 'compacted while cut off',
  meanwhile: async (trial) => {
    await trial.others('later');
    await new Etcdctl(trial.subject.server.address).compact();
  },
};

faultsOf(etcd, {
  start: async () => {
    const { server } = await Etcd.start();
    const port = Number(new URL(server.address).port);
    const environment = (at: number, trial: string) => ({
      REGISTRY_TYPE: 'etcd',
      ETCD_HOSTS: `127.0.0.1:${at}`,
      REGISTRY_PREFIX: `/${trial}/`,
    });
    return { server, port, environment, forget: () => server.forget(), stop: () => server.stop() };
  },
  // etcd ends leases by itself, also of the time in which it was frozen or nobody was there to renew them.
  apart: [CUT, SLOW, COMPACTED, { ...ALONE, endsLeases: true, hold: 60 }],
  together: [KILLED, { ...FROZEN, endsLeases: true, hold: 60 }, FORGOTTEN, FORGOTTEN_AND_HELD],
});
