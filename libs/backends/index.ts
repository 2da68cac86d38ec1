import type { BackendModule } from '#core';
import { consul } from './consul/index.js';
import { etcd } from './etcd/index.js';
import { kubernetes } from './kubernetes/index.js';
import { memory } from './memory/index.js';
import { redis } from './redis/index.js';

/** Every registry that can stand behind the API. A new one is a folder and a line here. */
export const BACKENDS: readonly BackendModule[] = [memory, consul, etcd, kubernetes, redis];
