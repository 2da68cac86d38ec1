import { consul } from './consul.js';
import { etcd } from './etcd.js';
import type { ServerKind } from './kind.js';
import { kubernetes } from './kubernetes.js';
import { redis } from './redis.js';

export const SERVERS: readonly ServerKind[] = [consul, etcd, kubernetes, redis];

export { hasPrograms, isAvailable } from './kind.js';
