import { createHash } from 'node:crypto';
import { keyText, type InstanceKey } from '#core';
import { backendContract, configStoreContract, type BackendContractOptions } from '#core/testing';
import { LEASES, Place } from './support/place.js';

const options: BackendContractOptions = {
  name: 'kubernetes',
  replicas: true,
  shortestTtl: 3_000,
  outages: ['cut', 'frozen'],
  foreign: true,
  open: async () => {
    const place = await Place.open();
    return {
      backend: () => place.backend({ KUBERNETES_WRITE: 'true' }),
      outage: async (of, how, meanwhile) => {
        const way = place.wayOf(of);
        if (how === 'frozen') way.freeze();
        else await way.cut();
        try {
          await meanwhile();
        } finally {
          await way.mend();
        }
      },
      foreign: {
        remove: async (key) => {
          await place.admin.ask('DELETE', leaseOf(place, key));
        },
        write: async (key, value) => {
          const metadata = { annotations: { 'service-discovery/record': value } };
          await place.admin.ask('PATCH', leaseOf(place, key), { metadata });
        },
      },
      close: () => place.close(),
    };
  },
};

backendContract(options);
configStoreContract(options);

function leaseOf(place: Place, key: InstanceKey): string {
  const hash = createHash('sha256').update(keyText(key)).digest('hex').slice(0, 32);
  return place.at(LEASES, 'leases', `service-discovery-${hash}`);
}
