export * from './balancer.js';
export * from './filters/candidates.js';
export * from './outcomes.js';
export * from './random.js';
export { STRATEGIES } from './strategies/index.js';
