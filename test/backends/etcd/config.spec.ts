import { describe } from '@jest/globals';
import { etcd } from '../../servers/etcd.js';
import { shared } from '../../servers/kind.js';
import { replicasShareConfiguration } from '../../support/config-replicas.js';
import { newPrefix } from './fixture.js';

describe('configuration on etcd', () => {
  const prefix = newPrefix();
  replicasShareConfiguration(
    () => ({ REGISTRY_TYPE: 'etcd', ETCD_HOSTS: shared(etcd), REGISTRY_PREFIX: prefix }),
    process.env.SOAK ? 10_000 : undefined,
  );
});
