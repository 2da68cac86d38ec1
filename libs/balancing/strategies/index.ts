import type { StrategyModule } from '#core';
import { consistentHash } from './consistent-hash.js';
import { geographic } from './geographic.js';
import { healthBased } from './health-based.js';
import { leastConnections } from './least-connections.js';
import { powerOfTwo } from './power-of-two.js';
import { random } from './random.js';
import { roundRobin } from './round-robin.js';
import { weighted } from './weighted.js';
import { weightedRoundRobin } from './weighted-round-robin.js';

/** Every balancing strategy that there is. A new one is a file and a line here. */
export const STRATEGIES: readonly StrategyModule[] = [
  roundRobin,
  leastConnections,
  weighted,
  weightedRoundRobin,
  random,
  consistentHash,
  healthBased,
  geographic,
  powerOfTwo,
];
