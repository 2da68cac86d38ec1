import type { BackendModule } from '#core';
import { readPem } from '../shared/pem.js';
import { options, TLS } from './options.js';

export const etcd = {
  type: 'etcd',
  summary: 'version 3.4 or newer',
  options,
  create: async (given, context) => {
    const [ca, cert, key] = await Promise.all(TLS.map((name) => readPem(name, given[name])));
    const { EtcdBackend } = await import('./backend.js');
    return new EtcdBackend(
      {
        endpoints: given.ETCD_HOSTS,
        prefix: given.REGISTRY_PREFIX,
        user:
          given.ETCD_USER === undefined ? undefined : { name: given.ETCD_USER, password: given.ETCD_PASSWORD ?? '' },
        tls: { ca, cert, key },
      },
      context,
    );
  },
} satisfies BackendModule<typeof options>;
