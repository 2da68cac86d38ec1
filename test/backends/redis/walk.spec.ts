import { describe } from '@jest/globals';
import { shared } from '../../servers/kind.js';
import { redis } from '../../servers/redis.js';
import { answersAsMemoryDoes } from '../../support/walk.js';

describe('a server with Redis', () => {
  answersAsMemoryDoes(() => ({
    REGISTRY_TYPE: 'redis',
    REDIS_URL: shared(redis),
    REGISTRY_PREFIX: `walk-${process.pid}-${Date.now()}`,
  }));
});
