import { LocalDiscovery } from './discovery.js';

export type { LocalDiscovery };
export { TestClock } from './test-clock.js';

/** A server of a test's own, in memory, on a free port of this machine: until `stop()`. */
export function startDiscovery(): Promise<LocalDiscovery> {
  return LocalDiscovery.start();
}
