import { afterAll, beforeAll } from '@jest/globals';
import { backendContract, configStoreContract, type BackendContractOptions } from '#core/testing';
import { Etcd, etcd } from '../../servers/etcd.js';
import { hasPrograms, shared } from '../../servers/kind.js';
import { EtcdFixture } from './fixture.js';

// Only a server of our own can be put back to what it was.
const restorable = hasPrograms(etcd);
let own: Etcd | undefined;

beforeAll(async () => {
  if (restorable) own = await Etcd.start();
});
afterAll(() => own?.server.stop());

const options: BackendContractOptions = {
  name: 'etcd',
  open: async () => new EtcdFixture(own?.server.address ?? shared(etcd), own),
  // The shortest that etcd grants.
  shortestTtl: 2_000,
  replicas: true,
  outages: ['cut', 'frozen', 'forgotten', ...(restorable ? (['rewound'] as const) : [])],
  foreign: true,
};

backendContract(options);
configStoreContract(options);
