import type { StrategyModule } from '#core';
import { random } from './random.js';
import { roundRobin } from './round-robin.js';

/** Every balancing strategy that there is. A new one is a file and a line here. */
export const STRATEGIES: readonly StrategyModule[] = [roundRobin, random];
