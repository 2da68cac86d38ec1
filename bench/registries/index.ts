import { consul } from './consul.js';
import { etcd } from './etcd.js';
import { kubernetes } from './kubernetes.js';
import { redis } from './redis.js';
import type { RawRegistry } from './raw-client.js';

export const REGISTRIES: readonly RawRegistry[] = [consul, etcd, kubernetes, redis];

export function registryOf(type: string): RawRegistry {
  const found = REGISTRIES.find((each) => each.type === type);
  if (!found) throw new Error(`no registry ${type}`);
  return found;
}

export { type Operation, type RawRegistry } from './raw-client.js';
