import { Etcdctl } from '../backends/etcd/etcdctl.js';
import { Etcd, etcd } from '../servers/etcd.js';
import type { Fault } from './support/fault.js';
import { ALONE, CUT, FORGOTTEN, FORGOTTEN_AND_HELD, FROZEN, JUMPS, KILLED, SLOW } from './support/faults.js';
import { oneProcess } from './support/subject.js';
import { faultsOf } from './support/suite.js';

let address: string;

/** What others wrote is no history any more when the server looks for it. */
const COMPACTED: Fault = {
  ...CUT,
  name: 'compacted while cut off',
  meanwhile: async ({ others }) => {
    await others.change();
    await new Etcdctl(address).compact();
  },
};

faultsOf(etcd, {
  start: async () => {
    const { server } = await Etcd.start();
    ({ address } = server);
    const environment = (port: number, trial: string) => ({
      REGISTRY_TYPE: 'etcd',
      ETCD_HOSTS: `127.0.0.1:${port}`,
      REGISTRY_PREFIX: `/${trial}/`,
    });
    return { ...oneProcess(server), port: Number(new URL(address).port), environment };
  },
  // etcd ends leases by itself, also of the time in which it was frozen or nobody was there to renew them.
  apart: [CUT, SLOW, JUMPS, COMPACTED, { ...ALONE, endsLeases: true, hold: 60 }],
  together: [KILLED, { ...FROZEN, endsLeases: true, hold: 60 }, FORGOTTEN, FORGOTTEN_AND_HELD],
  walk: true,
});
