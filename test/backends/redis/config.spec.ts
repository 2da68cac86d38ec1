import { describe } from '@jest/globals';
import { shared } from '../../servers/kind.js';
import { redis } from '../../servers/redis.js';
import { replicasShareConfiguration } from '../../support/config-replicas.js';

describe('configuration on Redis', () => {
  const prefix = `config-${process.pid}-${Date.now()}`;
  replicasShareConfiguration(
    () => ({ REGISTRY_TYPE: 'redis', REDIS_URL: shared(redis), REGISTRY_PREFIX: prefix }),
    process.env.SOAK ? 10_000 : undefined,
  );
});
